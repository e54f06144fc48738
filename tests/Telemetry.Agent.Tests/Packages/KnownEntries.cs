using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Packages;

/// <summary>What a scanner handed out, which it is given again at its next look.</summary>
internal sealed class KnownEntries(IReadOnlyList<(EntryKey Key, byte[] Value, FileStamp Stamp)> entries) : IPreviousEntries
{
    private int _index = -1;

    public ReadOnlySpan<byte> Key => entries[_index].Key.Bytes;

    public ReadOnlySpan<byte> Value => entries[_index].Value;

    public FileStamp Stamp => entries[_index].Stamp;

    public bool MoveNext() => ++_index < entries.Count;

    public bool MoveTo(ReadOnlySpan<byte> key)
    {
        _index = Math.Max(_index, 0);
        while (_index < entries.Count && Key.SequenceCompareTo(key) < 0)
            _index++;
        return _index < entries.Count;
    }

    public bool TryFind(ReadOnlySpan<byte> key) => MoveTo(key) && Key.SequenceEqual(key);
}

/// <summary>One look of some scanners of packages, one after the other as in a scan.</summary>
internal sealed class PackageLook
{
    private readonly List<(EntryKey Key, byte[] Value, FileStamp Stamp)> _entries = [];

    private PackageLook()
    {
    }

    /// <summary>What each of them returned.</summary>
    public IReadOnlyList<bool> IsPresent { get; private set; } = [];

    public IReadOnlyList<Gap> Gaps { get; private set; } = [];

    /// <summary>Each as <c>key version status</c>.</summary>
    public IEnumerable<string> Entries => _entries.Select(entry =>
    {
        var fingerprint = Fingerprint.Decode(entry.Value);
        return $"{KeyText.Format(EntryKind.Package, entry.Key.Bytes)} {fingerprint.Version} {fingerprint.Status}".TrimEnd();
    });

    public Fingerprint Single => Fingerprint.Decode(Assert.Single(_entries).Value);

    public static PackageLook By(PackageLook? before, params IScanner[] scanners)
    {
        var look = new PackageLook();
        var pass = new ScanPass(
            EntryKind.Package,
            before is null ? null : new KnownEntries(before._entries),
            (key, value, stamp) => look._entries.Add((new EntryKey(key), value.ToArray(), stamp)),
            new ScanProgress());
        look.IsPresent = [.. scanners.Select(scanner => scanner.Scan(pass, TestContext.Current.CancellationToken))];
        look.Gaps = pass.Gaps;
        return look;
    }
}
