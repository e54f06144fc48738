using System.Collections.Concurrent;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>The names of a series' fields, encoded, each with its equals sign; empty: not to be written.</summary>
/// <remarks>A fleet's streams name the same fields again and again: they have them in common.</remarks>
internal sealed record FieldNames(byte[][] Floats, byte[][] Ints)
{
    // A fleet has some hundreds. What is beyond them, or longer, each stream has for itself.
    private const int MaxCommon = 4096;
    private const int MaxCommonLength = 4096;

    private static readonly ConcurrentDictionary<string, FieldNames> Common = new();

    /// <param name="encode">One name.</param>
    public static FieldNames Of(Series series, Func<string, byte[]> encode)
    {
        // Names are texts of a peer: behind its length, none reads as another.
        var names = string.Concat(series.FloatFields.Concat(series.IntFields).Select(name => $"{name.Length}:{name}").Prepend($"{series.FloatFields.Count};"));
        if (Common.TryGetValue(names, out var known))
            return known;

        var fields = new FieldNames([.. series.FloatFields.Select(encode)], [.. series.IntFields.Select(encode)]);
        return Common.Count < MaxCommon && names.Length <= MaxCommonLength ? Common.GetOrAdd(names, fields) : fields;
    }
}
