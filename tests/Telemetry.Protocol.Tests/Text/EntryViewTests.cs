using System.Text.Json;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Protocol.Tests.Text;

public sealed class EntryViewTests
{
    private static readonly Digest Content = Digest.Of("ls"u8);

    private static readonly Fingerprint Everything = new()
    {
        State = EntryState.Unstable,
        Type = FileType.CharacterDevice,
        Mode = 0x9ed,
        Uid = 1,
        Gid = 2,
        Size = 3,
        Content = Content,
        KeyedContent = new KeyedDigest(0x0102, Content),
        Target = new ByteText([(byte)'a', 0xff]),
        TargetDigest = Content,
        Device = 5UL << 32 | 1,
        Xattrs = Content,
        Version = ByteText.Of("1.2"),
        Status = ByteText.Of("install ok installed"),
        Value = ByteText.Of("no\n"),
    };

    [Fact]
    public void Json_OfAFile_HasItsAttributesAndNoOthers()
    {
        var fingerprint = new Fingerprint { Type = FileType.File, Mode = 0x1ed, Uid = 0, Gid = 0, Size = 138208, Content = Content };

        Assert.Equal(
            $$"""{"key":"/usr/bin/ls","kind":"file","state":"stable","type":"file","mode":"0755","uid":0,"gid":0,"size":138208,"digest":"{{Content}}"}""",
            Json(EntryView.Of(EntryKind.File, EntryKey.OfPath("/usr/bin/ls"), fingerprint)));
    }

    [Fact]
    public void Json_OfEverything_NamesAllInSnakeCase() =>
        Assert.Equal(
            $$"""{"key":"/dev/tty","kind":"file","state":"unstable","type":"char","mode":"4755","uid":1,"gid":2,"size":3,"digest":"{{Content}}","target":"a\\xff","target_digest":"{{Content}}","device":"5:1","xattrs":"{{Content}}","version":"1.2","status":"install ok installed","value":"no\\x0a","keyed_digest":"{{Content}}","key_id":"0000000000000102"}""",
            Json(EntryView.Of(EntryKind.File, EntryKey.OfPath("/dev/tty"), Everything)));

    [Fact]
    public void Json_OfOtherScripts_StaysReadable()
    {
        var json = Json(EntryView.Of(EntryKind.File, EntryKey.OfPath("/tmp/nö漢<&>'"), new Fingerprint()));

        Assert.Equal("""{"key":"/tmp/nö漢<&>'","kind":"file","state":"stable"}""", json);
    }

    [Theory]
    [InlineData(0x1edu, "0755")]
    [InlineData(0x9edu, "4755")]
    [InlineData(0x3ffu, "1777")]
    [InlineData(0xfffu, "7777")]
    [InlineData(0u, "0000")]
    [InlineData(7u, "0007")]
    public void Mode_OfAnyBits_IsFourOctalDigits(uint mode, string expected) =>
        Assert.Equal(expected, EntryView.Of(EntryKind.File, EntryKey.Root, new Fingerprint { Mode = mode }).Mode);

    [Theory]
    [InlineData(FileType.File, "file")]
    [InlineData(FileType.Directory, "dir")]
    [InlineData(FileType.Symlink, "symlink")]
    [InlineData(FileType.CharacterDevice, "char")]
    [InlineData(FileType.BlockDevice, "block")]
    [InlineData(FileType.Fifo, "fifo")]
    [InlineData(FileType.Socket, "socket")]
    public void Type_OfAFile_IsItsWord(FileType type, string expected) =>
        Assert.Equal(expected, EntryView.Of(EntryKind.File, EntryKey.Root, new Fingerprint { Type = type }).Type);

    [Fact]
    public void Of_TheMessage_IsTheSameAsOfTheFingerprint()
    {
        var key = EntryKey.OfPath("/dev/tty");

        Assert.Equal(
            EntryView.Of(EntryKind.File, key, Everything),
            EntryView.Of(Everything.ToMessage(EntryKind.File, key)));
        Assert.Null(EntryView.Of(null));
    }

    [Fact]
    public void Of_AMessageOfUnknownKind_IsABadMessage() =>
        Assert.Throws<BadMessageException>(() => EntryView.Of(new V1.Entry { Key = "/a", State = "stable" }));

    [Fact]
    public void Summary_OfAFile_FitsIntoACell()
    {
        var fingerprint = new Fingerprint { Type = FileType.File, Mode = 0x1ed, Uid = 0, Gid = 0, Size = 132, Content = Content };

        Assert.Equal(
            $"file 0755 0:0 132 B {Content.ToString()[..12]}",
            EntryView.Of(EntryKind.File, EntryKey.Root, fingerprint).Summary);
    }

    private static string Json(EntryView view) => JsonSerializer.Serialize(view, ViewJson.Readable.EntryView);
}
