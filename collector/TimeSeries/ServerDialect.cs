using System.Net.Http.Headers;
using System.Text.Json;

namespace Telemetry.Collector.TimeSeries;

/// <summary>How one kind of server is spoken to: where lines go, what is shown to be let in, how a place for them is made.</summary>
internal abstract class ServerDialect(InfluxOptions options)
{
    /// <summary>Of what the self-test writes: one series for each collector.</summary>
    protected const string TestMeasurement = "collector";

    protected const string TestField = "selftest";

    public abstract ServerKind Kind { get; }

    /// <summary>For people.</summary>
    public abstract string Name { get; }

    public abstract Uri WriteUri { get; }

    protected InfluxOptions Options => options;

    public static ServerDialect Of(ServerKind kind, InfluxOptions options) => kind switch
    {
        ServerKind.Influx1 => new Influx1Dialect(options),
        ServerKind.Influx2 => new Influx2Dialect(options),
        ServerKind.Influx3 => new Influx3Dialect(options),
        _ => new VictoriaMetricsDialect(options),
    };

    /// <summary>With a token; a user name and password are the same to all.</summary>
    public abstract AuthenticationHeaderValue Authorization(string token);

    /// <summary>Why the configuration does not suffice for this kind of server; null: it does.</summary>
    public virtual string? Mistake => null;

    /// <summary>What this server would lose without a word is not sent to it.</summary>
    /// <returns>What is sent, null: nothing; lines that are not; and how many texts were left out of those that are.</returns>
    public virtual (PointParcel? Parcel, IReadOnlyList<RefusedParcel> Refused, long LeftOut) Examine(PointParcel parcel, DateTimeOffset now) => (parcel, [], 0);

    /// <summary>Makes the database or bucket.</summary>
    /// <returns>Null when it is there now; else the server's words.</returns>
    public abstract Task<string?> CreateAsync(InfluxClient client, CancellationToken stopping);

    /// <summary>Looks for what <see cref="TestLine"/> wrote.</summary>
    public virtual async Task<StoreCheck> ReadBackAsync(InfluxClient client, string collector, long value, CancellationToken stopping)
    {
        var query = $"SELECT {TestField} FROM {TestMeasurement} WHERE collector = '{collector}' ORDER BY time DESC LIMIT 1";
        var answer = await client.SendAsync(this, HttpMethod.Get, Relative($"query?db={Escaped(options.Database)}&q={Escaped(query)}"), null, stopping);
        if (!answer.IsSuccess)
            return new StoreCheck("read", CannotRead(answer.Status), $"the point that was written cannot be read: it answered {answer.Status} {answer.Words}");
        return IsIn(answer.Body, value)
            ? new StoreCheck("read", CheckOutcome.Passed, "the point that was written comes back")
            : new StoreCheck("read", CheckOutcome.Failed, $"the point that was written does not come back: it answered {answer.Words}");
    }

    /// <param name="collector">Its id: letters and digits.</param>
    /// <param name="value">Tells one test from the next.</param>
    public static byte[] TestLine(string collector, long value, DateTimeOffset now) =>
        System.Text.Encoding.ASCII.GetBytes(string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{TestMeasurement},collector={collector} {TestField}={value}i {now.ToUnixTimeMilliseconds()}000000\n"));

    /// <summary>Whether a failed read is a fault: where only writing is asked for, no rights to read are none.</summary>
    protected virtual CheckOutcome CannotRead(int status) => status is 401 or 403 ? CheckOutcome.NotPossible : CheckOutcome.Failed;

    protected Uri Relative(string path) => new(options.Url, path);

    protected static string Escaped(string text) => Uri.EscapeDataString(text);

    /// <summary>In an answer of InfluxQL.</summary>
    private static bool IsIn(string body, long value)
    {
        try
        {
            using var answer = JsonDocument.Parse(body);
            return answer.RootElement.TryGetProperty("results", out var results)
                && results[0].TryGetProperty("series", out var series)
                && series[0].GetProperty("values")[0][1].GetInt64() == value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }
}
