namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Names that have numbers in the store, which stand for them in chunks.</summary>
internal sealed class NameNumbers
{
    private readonly Dictionary<byte[], uint> _numbers = new(BytesComparer.Instance);
    private readonly Dictionary<uint, long> _lastAt = [];
    private uint _last;

    public int Count => _numbers.Count;

    public IReadOnlyDictionary<byte[], uint> All => _numbers;

    /// <summary>Those that the store does not have yet.</summary>
    public List<NewName> Added { get; } = [];

    public void Know(uint number, byte[] name, long lastAt)
    {
        _numbers[name] = number;
        _lastAt[number] = lastAt;
        _last = Math.Max(_last, number);
    }

    /// <summary>Its number; a new one, if it has none.</summary>
    /// <param name="instanceId">Whose agent told it; null: the collector itself, or nobody knows.</param>
    public uint Of(ReadOnlySpan<byte> name, string? instanceId)
    {
        var byName = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (byName.TryGetValue(name, out var number))
            return number;
        number = ++_last;
        var copy = name.ToArray();
        _numbers[copy] = number;
        Added.Add(new NewName(number, copy, instanceId));
        return number;
    }

    /// <summary>Notes when it had a value.</summary>
    /// <returns>Whether that is to be stored: to a day is enough to forget it in time.</returns>
    public bool Seen(uint number, long at)
    {
        if (at < _lastAt.GetValueOrDefault(number) + TimeSpan.MillisecondsPerDay)
            return false;
        _lastAt[number] = at;
        return true;
    }

    public void Forget(byte[] name)
    {
        if (_numbers.Remove(name, out var number))
            _lastAt.Remove(number);
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            // Of one process: peers can't aim at it.
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

/// <param name="InstanceId">Whose agent told it; null: the collector itself, or nobody knows.</param>
internal readonly record struct NewName(uint Number, byte[] Name, string? InstanceId);
