using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>What a transaction did to one package.</summary>
/// <param name="Key">Of its entry.</param>
/// <param name="From">Its version before; null: it was not installed.</param>
/// <param name="To">Its version afterwards; null: it is not installed any more. The same: it was installed again.</param>
internal sealed record PackageTransition(EntryKey Key, string? From, string? To)
{
    public string Name => Word(1);

    /// <summary>Empty: its package manager has none.</summary>
    public string Architecture => Word(2);

    /// <summary>After that of the package manager.</summary>
    private string Word(int number)
    {
        foreach (var range in Key.Bytes.Split(EntryKey.Separator))
        {
            if (number-- == 0)
                return EscapedText.Of(Key.Bytes[range]);
        }

        return "";
    }
}

/// <summary>From the packages' entries before and after to what was done.</summary>
internal static class PackageStates
{
    /// <param name="before">Entries of the package tree, by key.</param>
    /// <param name="touched">Packages that own a file that a package process changed: with an equal version they were installed again.</param>
    /// <returns>In key order.</returns>
    public static IReadOnlyList<PackageTransition> Transitions(
        string manager, IReadOnlyDictionary<EntryKey, Fingerprint> before, IReadOnlyDictionary<EntryKey, Fingerprint> after, IReadOnlySet<EntryKey> touched)
    {
        var prefix = EntryKey.Of(manager);
        var transitions = new List<PackageTransition>();
        foreach (var key in before.Keys.Union(after.Keys).Where(key => key.IsUnder(prefix)).Order())
        {
            var (from, to) = (Version(before, key), Version(after, key));
            if (from != to || (to is not null && touched.Contains(key)))
                transitions.Add(new PackageTransition(key, from, to));
        }

        return transitions;
    }

    /// <summary>Configuration files that a removed package leaves do not make it installed.</summary>
    private static string? Version(IReadOnlyDictionary<EntryKey, Fingerprint> entries, EntryKey key)
    {
        if (!entries.TryGetValue(key, out var entry))
            return null;
        if (entry.Status is { } status && (status.Bytes.EndsWith(" config-files"u8) || status.Bytes.EndsWith(" not-installed"u8)))
            return null;
        return entry.Version?.ToString() ?? entry.ValueDigest?.ToString() ?? "";
    }
}
