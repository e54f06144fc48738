using System.IO.Compression;
using System.Net.Http.Headers;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>An InfluxDB of any version, or a VictoriaMetrics.</summary>
internal sealed partial class InfluxStore(InfluxOptions options, InfluxClient client, StateStore store, TimeProvider time)
    : ITimeSeriesStore, IDisposable
{
    // What the server said that it is; of what is named nothing is asked.
    private volatile ServerDialect? _dialect = options.Kind is { } named and not ServerKind.VictoriaMetrics ? ServerDialect.Of(named, options) : null;

    // It was away, or says another version than before: it may be another server since, and the answers of that mean other things.
    private volatile bool _isDoubted;
    private string? _saidVersion;
    private readonly SemaphoreSlim _creating = new(1);
    private string _version = "";

    // Since lines were last taken the database was made; made again, it would be somebody else's to keep.
    private volatile bool _hasCreated;
    private int _creations;

    public string Name => $"{_dialect?.Name ?? "The time-series server"} at {options.Url}";

    public async Task<WriteDecision> WriteAsync(PointParcel parcel, CancellationToken stopping)
    {
        try
        {
            var dialect = await DialectAsync(stopping);
            var examined = dialect.Examine(parcel, time.GetUtcNow());
            var decision = examined.Parcel is { } sent ? await SendAsync(dialect, sent, stopping) : WriteDecision.Done;
            if (decision.Action == WriteAction.Wait)
                _isDoubted = true;
            return decision.Action == WriteAction.Done ? decision with { Refused = examined.Refused, LeftOut = examined.LeftOut } : decision;
        }
        catch (InfluxUnreachableException e)
        {
            _isDoubted = true;
            return new WriteDecision(WriteAction.Wait, e.Message);
        }
        catch (InfluxMisconfiguredException e)
        {
            return new WriteDecision(WriteAction.Misconfigured, e.Message);
        }
    }

    public void Dispose() => _creating.Dispose();

    private async Task<WriteDecision> SendAsync(ServerDialect dialect, PointParcel parcel, CancellationToken stopping)
    {
        var creations = Volatile.Read(ref _creations);
        using var body = Compressed(parcel);
        var answer = await client.SendAsync(dialect, HttpMethod.Post, dialect.WriteUri, body, stopping);
        var decision = AnswerTable.Decide(answer, parcel.LineCount);
        if (AnotherThanBefore(answer.Version.TrimStart('v')) is { } before)
        {
            _isDoubted = true;
            if (decision.Action != WriteAction.Done)
                return new WriteDecision(WriteAction.Wait, $"it was a {before}, and says now that it is a {answer.Version}: {decision.Words}");
        }

        switch (decision.Action)
        {
            case WriteAction.Create:
                return await CreateAsync(dialect, decision.Words, creations, stopping);
            case WriteAction.Done:
                _hasCreated = false;
                break;
        }

        return decision;
    }

    /// <summary>Once: whoever removes what was just made does not want it.</summary>
    /// <param name="before">How often it had been made when the lines were sent: others miss it at the same time.</param>
    private async Task<WriteDecision> CreateAsync(ServerDialect dialect, string words, int before, CancellationToken stopping)
    {
        await _creating.WaitAsync(stopping);
        try
        {
            if (_creations != before)
                return new WriteDecision(WriteAction.Create, words);
            if (_hasCreated)
                return new WriteDecision(WriteAction.Misconfigured, $"{options.Database} was made, and is missing again: {words}");
            if (await dialect.CreateAsync(client, stopping) is { } failure)
                return new WriteDecision(WriteAction.Misconfigured, $"{options.Database} is missing ({words}) and cannot be made: {failure}");
            _hasCreated = true;
            Interlocked.Increment(ref _creations);
            return new WriteDecision(WriteAction.Create, words);
        }
        finally
        {
            _creating.Release();
        }
    }

    /// <exception cref="InfluxUnreachableException">It does not answer.</exception>
    /// <exception cref="InfluxMisconfiguredException">It does not say what it is, or needs more than is configured.</exception>
    public async Task<ServerDialect> DialectAsync(CancellationToken stopping)
    {
        if (_dialect is { } known && (!_isDoubted || options.Kind == known.Kind && known is not VictoriaMetricsDialect))
            return known;

        try
        {
            // Before it is asked: a doubt that comes meanwhile holds.
            _isDoubted = false;
            var dialect = ServerDialect.Of(options.Kind ?? await DetectAsync(stopping), options);
            if (dialect.Mistake is { } mistake)
                throw new InfluxMisconfiguredException(mistake);
            if (dialect is VictoriaMetricsDialect victoria)
                await victoria.LearnAsync(client, stopping);
            return _dialect = dialect;
        }
        catch
        {
            _isDoubted = true;
            throw;
        }
    }

    private async Task<ServerKind> DetectAsync(CancellationToken stopping)
    {
        var ping = await client.SendAsync(null, HttpMethod.Get, new Uri(options.Url, "ping"), null, stopping);
        if (ping.Status is 408 or 429 or >= 500)
            throw new InfluxUnreachableException($"it answers {ping.Status} {ping.Words}");
        var health = await client.SendAsync(null, HttpMethod.Get, new Uri(options.Url, "health"), null, stopping);
        var (kind, version) = ServerDetection.Detect(ping, health);
        if (kind is not null)
            _version = version;
        if (version.Length > 0)
            _saidVersion ??= version;

        // A proxy that has no server behind it just now.
        return kind ?? _dialect?.Kind ?? throw new InfluxMisconfiguredException(
            $"it does not say which server it is (/ping answers {ping.Status}, /health {health.Status}): set timeseries.version, or kind = \"victoriametrics\"");
    }

    /// <returns>What it said before; null: the same, or one of them said nothing, as proxies do.</returns>
    private string? AnotherThanBefore(string version) =>
        version.Length > 0 && Interlocked.Exchange(ref _saidVersion, version) is { } before && before != version ? before : null;

    private static ByteArrayContent Compressed(PointParcel parcel)
    {
        var body = new MemoryStream((int)Math.Min(parcel.Bytes / 4, 4 << 20));
        using (var gzip = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var batch in parcel.Batches)
                gzip.Write(batch.Lines.Span);
        }

        var content = new ByteArrayContent(body.GetBuffer(), 0, (int)body.Length);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }
}

/// <summary>Nothing can be written until a person changes something; the message says what.</summary>
internal sealed class InfluxMisconfiguredException(string message) : Exception(message);
