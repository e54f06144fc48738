using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>One package in rpm's database.</summary>
/// <param name="Version"><c>EPOCH:VERSION-RELEASE</c>; an epoch of 0 is left out, as rpm does.</param>
/// <param name="IsOneOfMany">Meant to be installed in several versions side by side.</param>
internal sealed record RpmPackage(ByteText Name, ByteText Architecture, ByteText Version, bool IsOneOfMany)
{
    /// <summary>For <c>--queryformat</c>: what <see cref="Parse"/> reads.</summary>
    public const string Format =
        "%{NAME:shescape} %{ARCH:shescape} %{EPOCHNUM} %{VERSION:shescape} %{RELEASE:shescape}";

    public const int Words = 5;

    // Beside what they provide: keys have a package of their own each, and old kernels provide no such thing.
    private static readonly ByteText[] Many =
        [.. ((string[])["gpg-pubkey", "kernel", "kernel-core", "kernel-modules", "kernel-devel", "kernel-default"]).Select(ByteText.Of)];

    public static EntryKey Prefix { get; } = EntryKey.Of("rpm");

    /// <param name="first">Index of the first of its words in the line.</param>
    /// <param name="provides">Index of the first name that it provides; they end the line.</param>
    public static RpmPackage Parse(QuotedWords words, int first, int provides)
    {
        var name = words.Text(first);
        var isOneOfMany = Many.Contains(name);
        for (var index = provides; index < words.Count && !isOneOfMany; index++)
            isOneOfMany = words[index].StartsWith("installonlypkg("u8) || words[index].StartsWith("multiversion("u8);

        var architecture = words[first + 1].SequenceEqual("(none)"u8) ? ByteText.Of("none") : words.Text(first + 1);
        byte[] version = [.. words[first + 3], (byte)'-', .. words[first + 4]];
        if (!words[first + 2].SequenceEqual("0"u8))
            version = [.. words[first + 2], (byte)':', .. version];
        return new RpmPackage(name, architecture, new ByteText(version), isOneOfMany);
    }

    /// <param name="withVersion">Whether the version tells it apart from others.</param>
    public EntryKey Key(bool withVersion)
    {
        var key = Prefix.Child(Name.Bytes).Child(Architecture.Bytes);
        return withVersion ? key.Child(Version.Bytes) : key;
    }
}
