namespace Telemetry.Protocol.Model;

/// <summary>A manifest without its nodes: what was there, what that proves, and when it was seen.</summary>
/// <param name="Source">For people: the scanned root and the machine's name.</param>
public sealed record ManifestHead(Roots Roots, Coverage Coverage, DateTimeOffset ObservedAt, string Source);

/// <summary>Orders heads of one instance: a new epoch is always higher, and its sequence restarts at 1.</summary>
public readonly record struct HeadPosition(ulong Epoch, ulong Sequence) : IComparable<HeadPosition>
{
    public int CompareTo(HeadPosition other) =>
        Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Sequence.CompareTo(other.Sequence);

    public override string ToString() => $"{Epoch}/{Sequence}";

    public static bool operator <(HeadPosition left, HeadPosition right) => left.CompareTo(right) < 0;
    public static bool operator >(HeadPosition left, HeadPosition right) => left.CompareTo(right) > 0;
    public static bool operator <=(HeadPosition left, HeadPosition right) => left.CompareTo(right) <= 0;
    public static bool operator >=(HeadPosition left, HeadPosition right) => left.CompareTo(right) >= 0;
}
