using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// VictoriaMetrics: it answers 204 to whatever it is sent, skips what it cannot read, and stores a text as 0. So lines are looked
/// through before (<see cref="VictoriaLine"/>), and nothing is sent that would be lost.
/// </summary>
internal sealed class VictoriaMetricsDialect(InfluxOptions options) : ServerDialect(options)
{
    /// <summary>It shows a new series a second or so after it took it; asked before, it says for ten seconds more that there is none.</summary>
    private static readonly TimeSpan Shows = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public override ServerKind Kind => ServerKind.VictoriaMetrics;

    public override string Name => "VictoriaMetrics";

    // In milliseconds it keeps them anyway; told in nanoseconds it rounds by itself.
    public override Uri WriteUri => Relative($"write?db={Escaped(Options.Database)}&precision=n");

    /// <summary>As far back as it keeps points, if it says so; what is older is dropped without a word.</summary>
    public TimeSpan? Retention { get; private set; }

    /// <summary>By a proxy before it.</summary>
    public override AuthenticationHeaderValue Authorization(string token) => new("Bearer", token);

    /// <summary>There is none to make.</summary>
    public override Task<string?> CreateAsync(InfluxClient client, CancellationToken stopping) => Task.FromResult<string?>("it has no databases, so the address is wrong");

    public override (PointParcel? Parcel, IReadOnlyList<RefusedParcel> Refused, long LeftOut) Examine(PointParcel parcel, DateTimeOffset now)
    {
        var oldest = Retention is { } retention ? now - retention : DateTimeOffset.MinValue;
        List<RefusedParcel>? refused = null;
        var leftOut = 0L;
        var batches = new List<StoredPoints>(parcel.Batches.Count);
        foreach (var batch in parcel.Batches)
        {
            var examined = VictoriaLine.Examine(batch, oldest, now);
            leftOut += examined.Texts;
            if (examined.Refused.Count > 0)
                (refused ??= []).AddRange(examined.Refused);
            if (examined.Batch is { LineCount: > 0 } kept)
                batches.Add(kept);
        }

        return (batches.Count == 0 ? null : new PointParcel(batches), refused ?? [], leftOut);
    }

    public override async Task<StoreCheck> ReadBackAsync(InfluxClient client, string collector, long value, CancellationToken stopping)
    {
        var series = $"{{__name__=\"{TestMeasurement}_{TestField}\",collector=\"{collector}\"}}";
        var words = "";
        var begun = client.Time.GetTimestamp();
        do
        {
            await Task.Delay(Pause, client.Time, stopping);
            var answer = await client.SendAsync(this, HttpMethod.Get, Relative($"api/v1/export?match[]={Escaped(series)}"), null, stopping);
            if (!answer.IsSuccess)
                return new StoreCheck("read", CannotRead(answer.Status), $"the point that was written cannot be read: it answered {answer.Status} {answer.Words}");
            if (IsIn(answer.Body, value))
                return new StoreCheck("read", CheckOutcome.Passed, "the point that was written comes back");
            words = answer.Words;
        }
        while (client.Time.GetElapsedTime(begun) < Shows);

        return new StoreCheck("read", CheckOutcome.Failed, $"the point that was written does not come back: it answered {words}");
    }

    /// <summary>Asks how long it keeps points.</summary>
    public async Task LearnAsync(InfluxClient client, CancellationToken stopping)
    {
        var answer = await client.SendAsync(this, HttpMethod.Get, Relative("flags"), null, stopping);
        Retention = answer.IsSuccess ? RetentionIn(answer.Body) : null;
    }

    /// <summary>The flag <c>-retentionPeriod</c>: a number of months, or with a unit h, d, w or y.</summary>
    internal static TimeSpan? RetentionIn(string flags)
    {
        const string Flag = "-retentionPeriod=\"";
        var start = flags.IndexOf(Flag, StringComparison.Ordinal);
        if (start < 0)
            return null;

        var text = flags[(start + Flag.Length)..].Split('"')[0];
        var number = text.TrimEnd('h', 'd', 'w', 'y');
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var count) || count is <= 0 or > 100_000)
            return null;

        // As it counts itself: 31 days to a month.
        return text[number.Length..] switch
        {
            "" => TimeSpan.FromDays(31 * count),
            "h" => TimeSpan.FromHours(count),
            "d" => TimeSpan.FromDays(count),
            "w" => TimeSpan.FromDays(7 * count),
            "y" => TimeSpan.FromDays(365 * count),
            _ => null,
        };
    }

    /// <summary>In its lines of JSON, one a series.</summary>
    private static bool IsIn(string body, long value)
    {
        try
        {
            return body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Any(line =>
            {
                using var series = JsonDocument.Parse(line);
                return series.RootElement.GetProperty("values").EnumerateArray().Any(one => one.GetDouble() == value);
            });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return false;
        }
    }
}
