using System.Collections.Immutable;
using System.Diagnostics;
using FsCheck.Xunit;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Tests.Policies;

public sealed class RuleIndexTests
{
    private static readonly string[] Patterns =
    [
        "/", "/a", "/a/b", "/a/*", "/*/b", "/**", "/**/b", "/**/b/c", "/**/*b", "/a/**/c", "/ab", "/a/b/c", "/?", "/**/a/**/b",
        "package:dpkg/a", "setting:/a/b#c",
    ];

    private static readonly string[] Keys = ["", "a", "b", "c", "ab", "a/b", "a/c", "b/a", "c/b", "a/b/c", "c/b/c", "a/b/c/a", "b/a/c/b", "c/a/ab"];

    [Property(MaxTest = 500)]
    public void RuleOf_AnyRulesInAnyOrder_IsTheFirstThatMatches(byte[] chosen)
    {
        ImmutableArray<PolicyRule> rules = [.. chosen.Select(index => Rule(Patterns[index % Patterns.Length]))];
        var policy = new Policy { Name = "test", Rules = rules };

        foreach (var key in Keys.Select(EntryKey.OfPath))
            Assert.Same(rules.FirstOrDefault(rule => rule.Matches(EntryKind.File, key.Bytes)), policy.RuleOf(EntryKind.File, key.Bytes));
    }

    [Fact]
    public void RuleOf_ManyRulesForOtherKeys_CostsNoTime()
    {
        var policy = new Policy { Name = "test", Rules = [.. Enumerable.Range(0, 20_000).Select(i => Rule($"/usr/lib/x{i}/*.so"))] };
        var keys = Enumerable.Range(0, 100_000).Select(i => EntryKey.OfPath($"usr/lib/y{i}/a.so")).ToList();
        var started = Stopwatch.GetTimestamp();

        Assert.All(keys, key => Assert.Null(policy.RuleOf(EntryKind.File, key.Bytes)));

        // One by one it would be minutes.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    private static PolicyRule Rule(string pattern) => new([KeyPattern.Parse(pattern)], Treatment.Full, null);
}
