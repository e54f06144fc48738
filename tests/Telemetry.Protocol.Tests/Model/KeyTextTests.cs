using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class KeyTextTests
{
    public static TheoryData<EntryKind, string, string> Examples => new()
    {
        { EntryKind.File, "", "/" },
        { EntryKind.File, "etc\0ssh\0sshd_config", "/etc/ssh/sshd_config" },
        { EntryKind.Package, "dpkg\0apache2\0amd64", "package:dpkg/apache2:amd64" },
        { EntryKind.Setting, "etc/ssh/sshd_config\0PermitRootLogin", "setting:/etc/ssh/sshd_config#PermitRootLogin" },
        { EntryKind.System, "module\0nf_tables", "system:module/nf_tables" },
        { EntryKind.File, "tmp\0n\u00f6\u6f22\u5b57", "/tmp/n\u00f6\u6f22\u5b57" },
        { EntryKind.File, "tmp\0#a:b c", "/tmp/#a:b c" },
        { EntryKind.File, "tmp\0a\nb", @"/tmp/a\x0ab" },
        { EntryKind.File, "tmp\0\u001b[31m\u007f", @"/tmp/\x1b[31m\x7f" },
        { EntryKind.File, "tmp\0a\\b", @"/tmp/a\x5cb" },
        { EntryKind.File, "tmp\0a/b", @"/tmp/a\x2fb" },
        { EntryKind.File, "tmp\0\u202egpj.exe", @"/tmp/\xe2\x80\xaegpj.exe" },
        { EntryKind.File, "tmp\0a\u200bb", @"/tmp/a\xe2\x80\x8bb" },
        { EntryKind.File, "tmp\0a\u00a0b", @"/tmp/a\xc2\xa0b" },
        { EntryKind.File, "tmp\0a\u0085b", @"/tmp/a\xc2\x85b" },
        { EntryKind.File, "tmp\0a\u2028b", @"/tmp/a\xe2\x80\xa8b" },
        { EntryKind.File, "tmp\0a\u3164b", @"/tmp/a\xe3\x85\xa4b" },
        { EntryKind.File, "tmp\0a\ufe0fb", @"/tmp/a\xef\xb8\x8fb" },
        { EntryKind.File, "tmp\0a\U000e0100b", @"/tmp/a\xf3\xa0\x84\x80b" },
        { EntryKind.File, "tmp\0a\u2800b", @"/tmp/a\xe2\xa0\x80b" },
        { EntryKind.Package, "dpkg\0a:b\0c/d", @"package:dpkg/a\x3ab:c\x2fd" },
        { EntryKind.Setting, "etc/a#b\0x#y/z", @"setting:/etc/a\x23b#x\x23y\x2fz" },
        { EntryKind.Setting, "etc/hosts\0127.0.0.1\0alias", "setting:/etc/hosts#127.0.0.1/alias" },
        { EntryKind.System, "socket\0tcp:22", "system:socket/tcp:22" },
    };

    [Theory, MemberData(nameof(Examples))]
    public void Format_OfAnExample_IsWhatPeopleSeeAndType(EntryKind kind, string key, string text)
    {
        Assert.Equal(text, KeyText.Format(kind, Some.Utf8(key)));
        Assert.Equal((kind, new EntryKey(Some.Utf8(key))), KeyText.Parse(text));
    }

    [Fact]
    public void Format_OfInvalidUtf8_EscapesEveryByteOfIt()
    {
        Assert.Equal(@"/a\xff\xc3", KeyText.Format(EntryKind.File, [(byte)'a', 0xff, 0xc3]));

        // A surrogate and an overlong slash are no characters.
        Assert.Equal(@"/\xed\xa0\x80\xc0\xaf", KeyText.Format(EntryKind.File, [0xed, 0xa0, 0x80, 0xc0, 0xaf]));
    }

    [Property(MaxTest = 500)]
    public void Parse_OfAnyFormattedKey_GivesTheKeyBack(byte[] key)
    {
        foreach (var kind in EntryKinds.All)
            Assert.Equal((kind, new EntryKey(key)), KeyText.Parse(KeyText.Format(kind, key)));
    }

    [Property(MaxTest = 500)]
    public void Parse_OfAKeyOfTellingBytes_GivesTheKeyBack(int[] picks)
    {
        var telling = "\0\0/:#\\x2f\u00e4\u202e\t"u8.ToArray();
        byte[] key = [.. picks.Select(pick => telling[(pick & int.MaxValue) % telling.Length])];

        Parse_OfAnyFormattedKey_GivesTheKeyBack(key);
    }

    [Property(MaxTest = 500)]
    public void Format_OfAnyKey_IsSafeToShow(byte[] key)
    {
        foreach (var kind in EntryKinds.All)
        {
            Assert.DoesNotContain(KeyText.Format(kind, key), character =>
                char.IsControl(character) || char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format);
        }
    }

    [Property(MaxTest = 500)]
    public void Format_OfTwoKeys_IsTheSameOnlyForTheSameKey(byte[] left, byte[] right)
    {
        var same = left.AsSpan().SequenceEqual(right);

        Assert.All(EntryKinds.All, kind => Assert.Equal(same, KeyText.Format(kind, left) == KeyText.Format(kind, right)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("etc/passwd")]
    [InlineData("file:/etc/passwd")]
    [InlineData("setting:etc/hosts#a")]
    [InlineData("Package:dpkg/a:b")]
    public void Parse_OfSomethingElse_SaysWhatAKeyLooksLike(string text)
    {
        var error = Assert.Throws<FormatException>(() => KeyText.Parse(text));

        Assert.Contains("/etc/passwd", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"/a\")]
    [InlineData(@"/a\x")]
    [InlineData(@"/a\x1")]
    [InlineData(@"/a\n")]
    [InlineData(@"/a\xgg")]
    [InlineData(@"/a\x+1")]
    [InlineData(@"/a\x 1")]
    [InlineData(@"/a\\x41")]
    public void Parse_OfABrokenEscape_SaysHowABackslashIsWritten(string text)
    {
        var error = Assert.Throws<FormatException>(() => KeyText.Parse(text));

        Assert.Contains(@"\x5c", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfUpperCaseDigits_IsTheSameByte() =>
        Assert.Equal(KeyText.Parse(@"/a\xff"), KeyText.Parse(@"/a\xFF"));
}
