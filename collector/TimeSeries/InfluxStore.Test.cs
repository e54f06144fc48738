using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

internal sealed partial class InfluxStore
{
    /// <summary>Is it there, what is it, may points be written, do they come back: by a point of this collector's own.</summary>
    public async Task<StoreVerdict> TestAsync(CancellationToken stopping)
    {
        var checks = new List<StoreCheck>();
        try
        {
            var dialect = await DialectAsync(stopping);
            if (options.Kind is not null && dialect.Kind != ServerKind.VictoriaMetrics)
                _version = (await client.SendAsync(dialect, HttpMethod.Get, new Uri(options.Url, "ping"), null, stopping)).Version.TrimStart('v');
            checks.Add(new StoreCheck("reach", CheckOutcome.Passed, "it answers"));
            checks.Add(new StoreCheck(
                "version", CheckOutcome.Passed, $"{dialect.Name}{(_version.Length > 0 ? $", which says that it is {_version}" : "")}{(options.Kind is null ? "" : ", as configured")}"));
            await WriteAndReadAsync(dialect, checks, stopping);
            if (dialect is VictoriaMetricsDialect victoria)
                checks.AddRange(Limits(victoria));
        }
        catch (InfluxUnreachableException e)
        {
            checks.Add(new StoreCheck(checks.Count == 0 ? "reach" : "write", CheckOutcome.Failed, $"{e.Message}. Points wait on disk; start it, or correct timeseries.url"));
        }
        catch (InfluxMisconfiguredException e)
        {
            checks.Add(new StoreCheck("version", CheckOutcome.Failed, e.Message));
        }

        return new StoreVerdict(Name, _version, time.GetUtcNow(), checks);
    }

    private async Task WriteAndReadAsync(ServerDialect dialect, List<StoreCheck> checks, CancellationToken stopping)
    {
        var collector = store.Read(transaction => transaction.Events.CollectorId());
        var now = time.GetUtcNow();
        var value = now.ToUnixTimeMilliseconds() % 1_000_000_000;
        var line = new PointParcel([new StoredPoints(0, ServerDialect.TestLine(collector, value, now), 1, null)]);
        var written = await SendAsync(dialect, line, stopping);
        if (written.Action == WriteAction.Create)
        {
            checks.Add(new StoreCheck("create", CheckOutcome.Passed, $"{options.Database} was missing, and was made"));
            written = await SendAsync(dialect, line, stopping);
        }

        if (written.Action != WriteAction.Done)
        {
            checks.Add(new StoreCheck("write", CheckOutcome.Failed, Failure(written)));
            return;
        }

        checks.Add(new StoreCheck("write", CheckOutcome.Passed, $"a point was written into {options.Database}"));
        checks.Add(await dialect.ReadBackAsync(client, collector, value, stopping));
    }

    private string Failure(WriteDecision written) => written.Action switch
    {
        WriteAction.NotAllowed => $"no right to write into {options.Database}: {written.Words}. Points wait on disk; give it the right, or correct token_file or password_file, which are read anew each time",
        WriteAction.Misconfigured => $"{written.Words}. Points wait on disk; correct [timeseries] in collector.toml, or the server",
        _ => $"a point cannot be written: {written.Words}",
    };

    private static IEnumerable<StoreCheck> Limits(VictoriaMetricsDialect victoria)
    {
        yield return new StoreCheck("texts", CheckOutcome.NotPossible, "it keeps numbers only: fields that are texts are left out, and counted; points of nothing else are set aside");
        yield return new StoreCheck(
            "retention",
            victoria.Retention is null ? CheckOutcome.NotPossible : CheckOutcome.Passed,
            victoria.Retention is { } kept
                ? $"it keeps points for {kept.TotalDays:0.#} days: older ones are set aside"
                : "it does not say how long it keeps points: older ones it drops without a word");
    }
}
