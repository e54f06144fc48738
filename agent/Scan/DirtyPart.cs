using Telemetry.Agent.Packages;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>What one look has to look at, and where its changes came from.</summary>
internal sealed class DirtyPart
{
    public static readonly DirtyPart Nothing = new([], null);

    private readonly Dictionary<EntryKey, Dirt> _paths;
    private readonly Dirt? _ofPackages;

    /// <param name="loss">See <see cref="Loss"/>.</param>
    public DirtyPart(IReadOnlyCollection<KeyValuePair<EntryKey, Dirt>> paths, Loss? loss)
    {
        _paths = new Dictionary<EntryKey, Dirt>(paths);
        Loss = loss;
        Parts = PartsOf(paths);
        if (paths.Count > 0)
            UnchangedUntil = paths.Min(path => path.Value.UnchangedUntil);

        // What is installed changes with the database, and by the transaction that wrote it.
        _ofPackages = paths.Where(path => PackageDatabases.Hold(path.Key)).Select(path => (Dirt?)path.Value)
            .OrderBy(dirt => dirt?.Origin?.Transaction is null).FirstOrDefault();
    }

    public IReadOnlyCollection<KeyValuePair<EntryKey, Dirt>> Paths => _paths;

    /// <summary>Apart from each other, in key order.</summary>
    public IReadOnlyList<LookPart> Parts { get; }

    /// <summary>When all of it was surely still as it was seen last; null when there is nothing.</summary>
    public DateTimeOffset? UnchangedUntil { get; }

    /// <summary>Set when more may have changed than is known.</summary>
    public Loss? Loss { get; }

    /// <summary>What is in it by name, though it may be gone: its paths, and the packages of its transaction.</summary>
    public IEnumerable<(EntryKind Kind, EntryKey Key)> Named =>
        [.. _paths.Keys.Select(path => (EntryKind.File, path)), .. (_ofPackages?.Origin?.Transaction?.Packages ?? []).Select(package => (EntryKind.Package, package.Key))];

    /// <summary>Where the change of an entry came from; null: nobody knows.</summary>
    public ChangeOrigin? OriginOf(EntryKind kind, ReadOnlySpan<byte> key) => DirtOf(kind, key)?.Origin;

    /// <summary>
    /// Where an entry came from that is as it was seen last: what is residue shows at the end of a transaction, and a look at everything
    /// may have seen a change before it was told.
    /// </summary>
    /// <param name="seenUntil">The end of the last look at everything.</param>
    /// <returns>Null: nobody knows, or it was told.</returns>
    public ChangeOrigin? LateOriginOf(EntryKind kind, ReadOnlySpan<byte> key, DateTimeOffset seenUntil)
    {
        if (DirtOf(kind, key) is not { Origin: { } origin } dirt || (origin.Membership != TransactionMembership.Residue && dirt.UnchangedUntil >= seenUntil))
            return null;

        // Every package is looked at with the database, and few are others.
        return kind != EntryKind.Package || origin.Transaction?.Does(key) == true ? origin : null;
    }

    private Dirt? DirtOf(EntryKind kind, ReadOnlySpan<byte> key) => kind switch
    {
        EntryKind.File => DirtOf(new EntryKey(key)),
        EntryKind.Setting => DirtOf(SettingKey.FileOf(key)),
        EntryKind.Package => _ofPackages,
        _ => null,
    };

    /// <summary>That of the path itself, or of what it came or went with.</summary>
    private Dirt? DirtOf(EntryKey path)
    {
        if (_paths.TryGetValue(path, out var dirt) && dirt.Origin is not null)
            return dirt;

        for (var end = path.Bytes.LastIndexOf(EntryKey.Separator); end >= 0; end = path.Bytes[..end].LastIndexOf(EntryKey.Separator))
        {
            if (_paths.TryGetValue(new EntryKey(path.Bytes[..end]), out dirt) && dirt is { IsDeep: true, Origin: not null })
                return dirt;
        }

        return null;
    }

    private static List<LookPart> PartsOf(IReadOnlyCollection<KeyValuePair<EntryKey, Dirt>> paths)
    {
        var parts = new List<LookPart>(paths.Count);
        foreach (var (key, dirt) in paths.OrderBy(path => path.Key))
        {
            // What lies below a part that is looked at as a whole is met on the way.
            if (parts.Count == 0 || !parts[^1].IsDeep || !key.IsUnder(parts[^1].Key))
                parts.Add(new LookPart(key, dirt.IsDeep));
        }

        return parts;
    }
}
