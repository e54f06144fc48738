using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Tests.Policies;

public sealed class ClosenessTests
{
    private static readonly FleetKey Key = FleetKey.Random(), Other = FleetKey.Random();

    private static readonly Fingerprint Link = new Fingerprint { Type = FileType.Symlink, Uid = 0, Gid = 0 }.WithTarget("a"u8);

    private static readonly Fingerprint Package = new() { Version = ByteText.Of("1"), Status = ByteText.Of("install ok installed") };

    private static readonly Fingerprint Value = new Fingerprint().WithValue("no"u8);

    private static readonly Fingerprint Secret = SecretFile(Key);

    private static readonly Dictionary<string, (EntryKind Kind, Fingerprint? Before, Fingerprint? After)> Changes = new()
    {
        ["nothing"] = (EntryKind.File, File(), File()),
        ["content of the same size"] = (EntryKind.File, File("abc"), File("xyz")),
        ["content that got longer"] = (EntryKind.File, File("abc"), File("abcd")),
        ["content that got shorter"] = (EntryKind.File, File("abcd"), File("abc")),
        ["link target"] = (EntryKind.File, Link, Link.WithTarget("b"u8)),
        ["mode"] = (EntryKind.File, File(), File(mode: 0b110_110_110)),
        ["owner"] = (EntryKind.File, File(), File() with { Uid = 33 }),
        ["group"] = (EntryKind.File, File(), File() with { Gid = 33 }),
        ["type"] = (EntryKind.File, File(), File() with { Type = FileType.Fifo, Size = null, Content = null }),
        ["device"] = (EntryKind.File, Link with { Type = FileType.CharacterDevice, Device = 1 }, Link with { Type = FileType.CharacterDevice, Device = 2 }),
        ["extended attributes"] = (EntryKind.File, File(), File() with { Xattrs = Digest.Of([1]) }),
        ["added"] = (EntryKind.File, null, File()),
        ["added, setuid"] = (EntryKind.File, null, File() with { Mode = 0b100_111_101_101 }),
        ["added, with capabilities"] = (EntryKind.File, null, File() with { Xattrs = Digest.Of("x"u8) }),
        ["removed"] = (EntryKind.File, File(), null),
        ["package version"] = (EntryKind.Package, Package, Package with { Version = ByteText.Of("2") }),
        ["setting value"] = (EntryKind.Setting, Value, Value.WithValue("yes"u8)),
        ["fact"] = (EntryKind.System, Value, Value.WithValue("yes"u8)),
        ["content unread"] = (EntryKind.File, File(), File() with { State = EntryState.Unreadable, Content = null }),
        ["content unread, mode changed"] = (EntryKind.File, File(), File(mode: 0) with { State = EntryState.Unstable, Content = null }),
        ["everything unread"] = (EntryKind.File, File(), new Fingerprint { State = EntryState.Unreadable }),
        ["secret"] = (EntryKind.File, Secret, SecretFile(Key, "CONTENT")),
        ["secret under another key"] = (EntryKind.File, Secret, SecretFile(Other)),
        ["secret under another key, mode changed"] = (EntryKind.File, Secret, SecretFile(Other) with { Mode = 0 }),
        ["secret that was plain"] = (EntryKind.File, File(), Secret),
        ["secret that is plain"] = (EntryKind.File, Secret, File()),
        ["secret unread"] = (EntryKind.File, Secret, Secret with { State = EntryState.Unreadable, KeyedContent = null }),
        ["secret value under another key"] = (EntryKind.Setting, new Fingerprint { KeyedValue = Key.Digest("x"u8) }, new Fingerprint { KeyedValue = Other.Digest("x"u8) }),
        ["secret value that was plain"] = (EntryKind.Setting, Value, new Fingerprint { KeyedValue = Key.Digest("no"u8) }),
        ["secret value that was long"] = (EntryKind.Setting, Value.WithValue(new byte[300]) with { Value = null }, new Fingerprint { KeyedValue = Key.Digest("no"u8) }),
    };

    // What each treatment says: F different, e equal, u unread, k other key; in the order full, attributes, presence, growing, derived, secret, ignore.
    [Theory]
    [InlineData("nothing", "eeeeeee")]
    [InlineData("content of the same size", "FeeeeFe")]
    [InlineData("content that got longer", "FeeeeFe")]
    [InlineData("content that got shorter", "FeeFeFe")]
    [InlineData("link target", "FeeeeFe")]
    [InlineData("mode", "FFeFFFe")]
    [InlineData("owner", "FFeFFFe")]
    [InlineData("group", "FFeFFFe")]
    [InlineData("type", "FFeFFFe")]
    [InlineData("device", "FFeFFFe")]
    [InlineData("extended attributes", "FFeFFFe")]
    [InlineData("added", "FFFFeFe")]
    [InlineData("added, setuid", "FFFFFFe")]
    [InlineData("added, with capabilities", "FFFFFFe")]
    [InlineData("removed", "FFFFeFe")]
    [InlineData("package version", "FeeeeFe")]
    [InlineData("setting value", "FeeeeFe")]
    [InlineData("fact", "FeeeeFe")]
    [InlineData("content unread", "ueeeeue")]
    [InlineData("content unread, mode changed", "FFeFFFe")]
    [InlineData("everything unread", "uueuuue")]
    [InlineData("secret", "FeeeeFe")]
    [InlineData("secret under another key", "keeeeke")]
    [InlineData("secret under another key, mode changed", "FFeFFFe")]
    [InlineData("secret that was plain", "keeeeke")]
    [InlineData("secret that is plain", "keeeeke")]
    [InlineData("secret unread", "ueeeeue")]
    [InlineData("secret value under another key", "keeeeke")]
    [InlineData("secret value that was plain", "keeeeke")]
    [InlineData("secret value that was long", "keeeeke")]
    public void Of_AChange_IsWhatItsTreatmentSays(string change, string verdicts)
    {
        var (kind, before, after) = Changes[change];

        var found = Enum.GetValues<Treatment>().Select(treatment => Letter(Closeness.Of(kind, before, after, treatment)));

        Assert.Equal(verdicts, string.Concat(found));
    }

    [Fact]
    public void File_OfWhichNoContentIsExpected_IsComparedButForThat()
    {
        var expected = ContentBySettings.Of(File());

        Assert.True(ContentBySettings.Is(expected));
        Assert.False(ContentBySettings.Is(File()));
        Assert.Equal(Verdict.Equal, Closeness.Of(EntryKind.File, expected, File(), Treatment.Full));
        Assert.Equal(Verdict.Different, Closeness.Of(EntryKind.File, expected, File() with { Mode = 0 }, Treatment.Full));
        Assert.Equal(Verdict.Different, Closeness.Of(EntryKind.File, expected, null, Treatment.Full));
    }

    [Fact]
    public void EveryChange_IsInTheTable() =>
        Assert.Equal(
            Changes.Keys.Order(),
            typeof(ClosenessTests).GetMethod(nameof(Of_AChange_IsWhatItsTreatmentSays))!.GetCustomAttributesData()
                .Where(attribute => attribute.AttributeType == typeof(InlineDataAttribute))
                .Select(attribute => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)attribute.ConstructorArguments[0].Value!)[0].Value!)
                .Order());

    private static Fingerprint File(string content = "content", uint mode = 0b110_100_100) => new()
    {
        Type = FileType.File,
        Mode = mode,
        Uid = 0,
        Gid = 0,
        Size = (ulong)content.Length,
        Content = Digest.Of(System.Text.Encoding.UTF8.GetBytes(content)),
    };

    private static Fingerprint SecretFile(FleetKey key, string content = "content") => File(content) with
    {
        Content = null,
        KeyedContent = key.Digest(System.Text.Encoding.UTF8.GetBytes(content)),
    };

    private static char Letter(Verdict verdict) => verdict switch
    {
        Verdict.Equal => 'e',
        Verdict.Different => 'F',
        Verdict.Unread => 'u',
        Verdict.OtherKey => 'k',
        _ => '?',
    };
}
