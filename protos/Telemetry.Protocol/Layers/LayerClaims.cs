using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Layers;

/// <summary>What belongs to a layer beyond the entries it writes.</summary>
/// <param name="Owns">Entries of any kind, with everything below them, as in a policy.</param>
/// <param name="Ports">That its programs listen on, such as <c>tcp/80</c>.</param>
public sealed record LayerClaims(ImmutableArray<KeyPattern> Owns, ImmutableArray<string> Ports)
{
    public static readonly LayerClaims Nothing = new([], []);

    /// <summary>How much of a key a claim names: the bytes of its longest pattern that matches, before any wildcard; -1 when none does.</summary>
    public int ClaimOn(EntryKind kind, ReadOnlySpan<byte> key)
    {
        var longest = -1;
        foreach (var pattern in Owns)
        {
            if (pattern.Literal.Length > longest && pattern.Matches(kind, key))
                longest = pattern.Literal.Length;
        }

        return longest;
    }
}
