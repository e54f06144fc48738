using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.TimeSeries;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>The writer on its way from a queue to a server.</summary>
internal sealed class RunningWriter : IAsyncDisposable
{
    private readonly Collector _collector;
    private readonly HttpClient _http;
    private readonly InfluxStore _store;
    private readonly PointWriter _writer;

    public RunningWriter(Collector collector, PointQueue queue, InfluxOptions options, TimeProvider? time = null, HttpMessageHandler? handler = null)
    {
        time ??= TimeProvider.System;
        _collector = collector;
        _http = handler is null ? new HttpClient() : new HttpClient(handler);
        Board = new TimeSeriesBoard(time);
        SetAside = new SetAsideFile(collector.DataDirectory, time);
        _store = new InfluxStore(options, new InfluxClient(options, _http, time), collector.Store, time);
        _writer = new PointWriter(_store, queue, SetAside, Board, new NoticeBoard(collector.Store, time), time, NullLogger<PointWriter>.Instance);
    }

    public ITimeSeriesStore Store => _store;

    public TimeSeriesBoard Board { get; }

    public SetAsideFile SetAside { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Task Start() => _writer.StartAsync(Cancellation);

    public Task Drained() => Eventually.True(
        () => _collector.Store.Read(transaction => transaction.Points.Waiting()).Lines == 0, "an empty queue", Cancellation, () => $"{Board.State}");

    public async ValueTask DisposeAsync()
    {
        await _writer.StopAsync(CancellationToken.None);
        _writer.Dispose();
        _store.Dispose();
        _http.Dispose();
    }
}
