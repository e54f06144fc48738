using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class KeyPrefixesTests
{
    /// <summary>Short keys of few letters, so that prefixes of each other are common.</summary>
    [Property(MaxTest = 500)]
    public bool Covers_ManyPrefixes_AgreesWithAskingEachOfThem(byte[][] prefixes, byte[] seed)
    {
        var keys = (prefixes ?? []).Select(Key).ToList();
        var key = Key(seed);

        return new Scope(keys, []).Covers(key.Bytes) == keys.Exists(key.IsUnder)
            && (Coverage.Nothing with { Scanners = [new Scanner(EntryKind.File, "file", 1, 0)], Gaps = [.. keys.Select(prefix => new Gap(EntryKind.File, prefix, ""))] })
                .Covers(EntryKind.File, key.Bytes) != keys.Exists(key.IsUnder);
    }

    private static EntryKey Key(byte[]? seed) =>
        EntryKey.Of([.. (seed ?? []).Take(4).Select(letter => letter % 3 == 0 ? "a" : letter % 3 == 1 ? "a." : "b")]);
}
