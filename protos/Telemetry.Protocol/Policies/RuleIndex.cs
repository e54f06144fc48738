using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Finds the first rule that matches a key; most keys lie under no rule at all, which one binary search tells.</summary>
internal sealed class RuleIndex
{
    private readonly ImmutableArray<PolicyRule> _rules;
    private readonly KeyPrefixes[] _anyRule;

    public RuleIndex(ImmutableArray<PolicyRule> rules)
    {
        _rules = rules;
        var patterns = rules.SelectMany(rule => rule.Match).ToList();
        _anyRule =
        [
            default,
            .. EntryKinds.All.Select(kind =>
                new KeyPrefixes(patterns.Where(pattern => pattern.Kind == kind).Select(pattern => pattern.Literal))),
        ];
    }

    public PolicyRule? Find(EntryKind kind, ReadOnlySpan<byte> key)
    {
        if (!_anyRule[(int)kind].Hold(key))
            return null;

        foreach (var rule in _rules)
        {
            if (rule.Matches(kind, key))
                return rule;
        }

        return null;
    }
}
