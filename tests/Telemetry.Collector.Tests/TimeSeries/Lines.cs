using System.Globalization;
using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>Lines of the line protocol, as they come from the queue.</summary>
internal static class Lines
{
    private static long _lastId;

    public static StoredPoints Batch(params IReadOnlyList<string> lines) =>
        new(Interlocked.Increment(ref _lastId), Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))), lines.Count, null);

    public static PointParcel Parcel(params IReadOnlyList<string> lines) => new([Batch(lines)]);

    public static string Line(string series, DateTimeOffset at, params IReadOnlyList<(string Name, double Value)> fields) =>
        string.Create(CultureInfo.InvariantCulture, $"{series} {string.Join(',', fields.Select(field => string.Create(CultureInfo.InvariantCulture, $"{field.Name}={field.Value:R}")))} {at.ToUnixTimeMilliseconds()}000000");
}
