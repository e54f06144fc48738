using System.Text.RegularExpressions;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class KeyPatternTests
{
    [Theory]
    [InlineData("/etc/shadow", "/etc/shadow", true)]
    [InlineData("/etc/shadow", "/etc/shadow-", false)]
    [InlineData("/etc/shadow*", "/etc/shadow-", true)]
    [InlineData("/etc/ssl/private", "/etc/ssl/private/a/b", true)]
    [InlineData("/etc/ssl/private", "/etc/ssl", false)]
    [InlineData("/", "/any/thing", true)]
    [InlineData("/etc/*.d/*.conf", "/etc/x.d/y.conf", true)]
    [InlineData("/etc/*.d/*.conf", "/etc/x.d/z/y.conf", false)]
    [InlineData("/etc/*", "/etc", false)]
    [InlineData("/etc/?", "/etc/a", true)]
    [InlineData("/etc/?", "/etc/ab", false)]
    [InlineData("/**/.ssh", "/root/.ssh", true)]
    [InlineData("/**/.ssh", "/.ssh/id", true)]
    [InlineData("/**/.ssh", "/home/a/b/.ssh/id", true)]
    [InlineData("/**/.ssh", "/home/a/.sshx", false)]
    [InlineData("/a/**/b/**/c", "/a/x/b/y/z/c", true)]
    [InlineData("/a/**/b/**/c", "/a/b/c", true)]
    [InlineData("/a/**/b/**/c", "/a/c/b", false)]
    [InlineData("/a*b*c", "/aXbYbZc", true)]
    [InlineData("/a*b*c", "/aXbYbZ", false)]
    [InlineData("/a**c", "/abc", true)]
    [InlineData(@"/a\x2ab", "/a*b", true)]
    [InlineData(@"/a\x2ab", "/axb", false)]
    [InlineData("package:dpkg/linux-image-*", "package:dpkg/linux-image-6.1:amd64", true)]
    [InlineData("package:dpkg/bash", "package:rpm/bash", false)]
    [InlineData("setting:/etc/ssh/*#PermitRootLogin", "setting:/etc/ssh/sshd_config#PermitRootLogin", true)]
    [InlineData("setting:/etc/*#PermitRootLogin", "setting:/etc/ssh/sshd_config#PermitRootLogin", false)]
    [InlineData("setting:/etc/**#PermitRootLogin", "setting:/etc/ssh/sshd_config#PermitRootLogin", true)]
    [InlineData("setting:/etc/hosts", "setting:/etc/hosts#127.0.0.1", true)]
    [InlineData("/etc/hosts", "setting:/etc/hosts#127.0.0.1", false)]
    [InlineData("system:sysctl/net.ipv4.conf.*.rp_filter", "system:sysctl/net.ipv4.conf.all.rp_filter", true)]
    public void Matches_KeyOrNot(string pattern, string key, bool expected)
    {
        var (kind, parsed) = KeyText.Parse(key);

        var matches = KeyPattern.Parse(pattern).Matches(kind, parsed.Bytes);

        Assert.Equal(expected, matches);
    }

    [Fact]
    public void Star_NameThatIsNoText_Matches()
    {
        var key = new EntryKey([.. "etc\0"u8, 0xff, 0xfe, (byte)'\n']);

        Assert.True(KeyPattern.Parse("/etc/*").Matches(EntryKind.File, key.Bytes));
        Assert.False(KeyPattern.Parse("/etc/a*").Matches(EntryKind.File, key.Bytes));
    }

    [Theory]
    [InlineData("etc/passwd", "is not a pattern")]
    [InlineData("*", "'*' is not a pattern")]
    [InlineData(@"/a\b", "escape")]
    [InlineData("/a//b", "empty component")]
    [InlineData("/**/a/**/b/**/c/**/d/**/e", "double stars")]
    public void Parse_NoPattern_SaysWhy(string text, string reason)
    {
        var exception = Assert.Throws<FormatException>(() => KeyPattern.Parse(text));

        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Random patterns and keys of few letters, against a regular expression over the path with a slash behind each component.</summary>
    [Fact]
    public void Matches_RandomPatterns_AsARegularExpressionDoes()
    {
        var random = new Random(1);
        string[] globs = ["a", "b", "*", "?", "a*", "*b", "**", "a**", "?*a", "*a*b"];
        var matched = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var pattern = Enumerable.Range(0, random.Next(1, 5)).Select(_ => globs[random.Next(globs.Length)]).ToList();
            var key = Enumerable.Range(0, random.Next(1, 6)).Select(_ => new string('a', random.Next(3)) + "ab"[random.Next(2)]).ToList();
            if (pattern.Sum(glob => glob.Split("**").Length - 1) > 4)
                continue;

            var expression = "^" + string.Concat(pattern.Select(glob => glob == "**" ? "(?:[^/]+/)*" : Expression(glob) + "/"));
            var expected = Regex.IsMatch(string.Concat(key.Select(component => component + "/")), expression);
            var actual = KeyPattern.Parse("/" + string.Join('/', pattern)).Matches(EntryKind.File, EntryKey.OfPath(string.Join('/', key)).Bytes);

            Assert.True(expected == actual, $"/{string.Join('/', pattern)} and /{string.Join('/', key)}: expected {expected}");
            matched += expected ? 1 : 0;
        }

        Assert.InRange(matched, 1000, 19_000);
    }

    /// <summary>What took steps in the fourth power of the name's length would not end in the time of a test.</summary>
    [Fact]
    public void Matches_PatternMadeToBeSlow_Ends()
    {
        var pattern = KeyPattern.Parse("/**a*a**a*a**a*a**b");
        var deep = KeyPattern.Parse("/**/a/**/a/**/a/**/b");

        Assert.False(pattern.Matches(EntryKind.File, EntryKey.OfPath("/" + new string('a', 255)).Bytes));
        Assert.False(deep.Matches(EntryKind.File, EntryKey.OfPath(string.Concat(Enumerable.Repeat("/a", 2000))).Bytes));
    }

    private static string Expression(string glob) =>
        glob.Replace("*", "[^/]*", StringComparison.Ordinal).Replace("?", "[^/]", StringComparison.Ordinal);

    [Fact]
    public void Literal_LeadingComponentsOnly()
    {
        Assert.Equal(EntryKey.OfPath("/etc/ssh"), KeyPattern.Parse("/etc/ssh/*/key").Literal);
        Assert.Equal(EntryKey.Root, KeyPattern.Parse("/**/key").Literal);
    }
}
