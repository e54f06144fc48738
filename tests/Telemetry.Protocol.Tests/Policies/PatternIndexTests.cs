using System.Collections.Immutable;
using FsCheck.Xunit;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Testing;

namespace Telemetry.Protocol.Tests.Policies;

public sealed class PatternIndexTests
{
    private static readonly string[] Patterns =
    [
        "/", "/a", "/a/b", "/a/*", "/*/b", "/**", "/**/b", "/**/b/c", "/**/*b", "/a/**/c", "/ab", "/a/b/c", "/?", "/**/a/**/b", "/a/bcdef*", "/a/bcde*", "/a/bcd*", "/a/bcdef*/c",
        "package:dpkg/a", "setting:/a/b#c",
    ];

    private static readonly string[] Keys = ["", "a", "b", "c", "ab", "a/b", "a/c", "b/a", "c/b", "a/b/c", "c/b/c", "a/b/c/a", "b/a/c/b", "c/a/ab", "a/bcdefg", "a/bcdefg/c", "a/bcde", "a/bc"];

    [Property(MaxTest = 500)]
    public void RuleOf_AnyRulesInAnyOrder_IsTheFirstThatMatches(byte[] chosen)
    {
        ImmutableArray<PolicyRule> rules = [.. chosen.Select(index => Rule(Patterns[index % Patterns.Length]))];
        var policy = new Policy { Name = "test", Rules = rules };

        foreach (var key in Keys.Select(EntryKey.OfPath))
            Assert.Same(rules.FirstOrDefault(rule => rule.Match.Any(pattern => pattern.Matches(EntryKind.File, key.Bytes))), policy.RuleOf(EntryKind.File, key.Bytes));
    }

    [Theory]
    [InlineData("/usr/lib/x#/*.so")]
    [InlineData("/usr/lib/name#*")]
    [InlineData("/**/x#")]
    public void RuleOf_ManyRulesForOtherKeys_CostsNoTime(string pattern)
    {
        var patterns = Enumerable.Range(10_000, 20_000).Select(i => pattern.Replace("#", $"{i}", StringComparison.Ordinal));
        var policy = new Policy { Name = "test", Rules = [.. patterns.Select(Rule)] };
        var keys = Enumerable.Range(0, 100_000).Select(i => EntryKey.OfPath($"usr/lib/y{i}/a.so")).ToList();
        var started = ProcessorTime.OfThisThread;

        Assert.All(keys, key => Assert.Null(policy.RuleOf(EntryKind.File, key.Bytes)));

        // One by one it would be minutes.
        Assert.InRange(ProcessorTime.OfThisThread - started, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    private static PolicyRule Rule(string pattern) => new([KeyPattern.Parse(pattern)], Treatment.Full, null);
}
