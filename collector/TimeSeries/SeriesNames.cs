using Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>The series that one stream has named, as they stand in each of their lines.</summary>
internal sealed class SeriesNames
{
    private const int MaxSeries = 10_000;
    private const int MaxFields = 1_000;

    /// <summary>Of all names of a stream: far more than any agent has.</summary>
    private const int MaxBytes = 1024 * 1024;

    // Ten thousand streams have sixty each: objects of their own would be what a garbage collection looks at most.
    private readonly Dictionary<uint, NamedSeries> _series = [];
    private byte[] _keys = [];
    private int _keysLength, _bytes;

    /// <returns>False: it is more than a stream may name, and there are no points of it.</returns>
    public bool Name(Series series)
    {
        if (IsTooMuch(series))
        {
            // Its number must not stand for another one.
            if (_series.ContainsKey(series.Id))
                _series[series.Id] = default;
            return false;
        }

        using var names = new LineProtocol();
        var encoded = names.Encode(series);
        _series[series.Id] = encoded is { } known ? new NamedSeries(Keep(known.Key.Span), known.Key.Length, known.Fields) : default;
        return true;
    }

    /// <returns>Null when no server would take a point of that name; when it was not named; or when there is not a value for each of its fields.</returns>
    public EncodedSeries? Of(SeriesRow row)
    {
        if (!_series.TryGetValue(row.Series, out var series) || series.Fields is not { } fields)
            return null;
        if (fields.Floats.Length != row.FloatValues.Count || fields.Ints.Length != row.IntValues.Count)
            return null;
        return new EncodedSeries(_keys.AsMemory(series.Key, series.KeyLength), fields);
    }

    private bool IsTooMuch(Series series)
    {
        var bytes = series.CalculateSize();
        if (_bytes + bytes > MaxBytes || series.FloatFields.Count + series.IntFields.Count > MaxFields || (_series.Count == MaxSeries && !_series.ContainsKey(series.Id)))
            return true;
        _bytes += bytes;
        return false;
    }

    /// <returns>Where it begins.</returns>
    private int Keep(ReadOnlySpan<byte> key)
    {
        var start = _keysLength;
        _keysLength += key.Length;
        if (_keysLength > _keys.Length)
            Array.Resize(ref _keys, Math.Max(_keysLength, _keys.Length * 3 / 2));
        key.CopyTo(_keys.AsSpan(start));
        return start;
    }

    /// <param name="Key">Where it begins among the keys.</param>
    /// <param name="Fields">Null: no server would take a point of that name.</param>
    private readonly record struct NamedSeries(int Key, int KeyLength, FieldNames? Fields);
}

/// <summary>What the lines of a series have in common, encoded.</summary>
/// <param name="Key">Measurement and tags.</param>
internal readonly record struct EncodedSeries(ReadOnlyMemory<byte> Key, FieldNames Fields);
