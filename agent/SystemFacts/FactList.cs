using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>The facts that one scanner found, in key order. None has a stamp: facts are read anew at every scan.</summary>
internal sealed class FactList
{
    private readonly SortedDictionary<EntryKey, Fingerprint> _facts = [];

    /// <summary>Of the same thing said twice the later counts.</summary>
    public Fingerprint this[EntryKey key]
    {
        set => _facts[key] = value;
    }

    public void Remove(EntryKey key) => _facts.Remove(key);

    public void HandOut(ScanPass pass)
    {
        foreach (var (key, fact) in _facts)
        {
            if (key.Length <= EntryKey.MaxLength)
                pass.Entry(key.Bytes, fact.Encode(), FileStamp.None);
            else
                pass.Gap(new EntryKey(key.Bytes[..key.Bytes.IndexOf(EntryKey.Separator)]), "a name is too long");
        }
    }
}
