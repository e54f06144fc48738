using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Spool;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Spool;

/// <summary>A spool in a directory of a test's own, that agents come and go at.</summary>
internal sealed class Spools : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));

    public RecordedLog Log { get; } = new();

    public string State => _folder.Path;

    public string Health => _folder["spool/health"];

    public string Changes => _folder["spool/changes"];

    /// <summary>Of metrics, the oldest first.</summary>
    public IReadOnlyList<string> Files() => [.. Directory.GetFiles(Health, "*.spool").Order(StringComparer.Ordinal)];

    /// <summary>As an agent does that starts. Nothing is done when it ends: it may have been killed.</summary>
    public SpoolDirectory Open(long bytes = 64 << 20, double share = 1) => new(State, new SpoolOptions { Bytes = bytes, FreeShare = share }, Clock, Log);

    public void Dispose() => _folder.Dispose();

    internal sealed class RecordedLog : ILogger<SpoolDirectory>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Add(formatter(state, exception));
    }
}

internal static class LaneExtensions
{
    /// <summary>Appends one record a text, each of one unit.</summary>
    public static void Add(this SpoolLane lane, Spools spools, params string[] texts)
    {
        foreach (var text in texts)
            lane.Append(spools.Clock.GetUtcNow(), 1, Encoding.UTF8.GetBytes(text));
    }

    public static List<SpoolRecord> All(this SpoolLane lane)
    {
        var records = new List<SpoolRecord>();
        var cursor = default(SpoolCursor);
        while (lane.Read(ref cursor) is { } record)
            records.Add(record);
        return records;
    }

    public static List<string> Texts(this SpoolLane lane) => [.. lane.All().Select(record => Encoding.UTF8.GetString(record.Payload))];

    public static HeadPosition PositionOf(this SpoolLane lane, string text) => lane.All().Single(record => Encoding.UTF8.GetString(record.Payload) == text).Position;
}
