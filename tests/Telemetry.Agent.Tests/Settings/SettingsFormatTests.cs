using System.Text;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Tests.Settings;

public sealed class SettingsFormatTests
{
    public static TheoryData<string> Formats => [.. SettingsFormats.Names];

    /// <summary>Where each line says a thing of its own, so that they may stand in any order.</summary>
    public static TheoryData<string> FormatsOfLines => ["passwd", "group", "shadow", "hosts", "fstab", "sysctl", "apt_sources", "pam", "limits", "nsswitch"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Settings_OfARealFile_AreAsListed(string format)
    {
        var settings = SettingScans.SettingsOf(format);

        Assert.Equal(File.ReadAllText(Path.Combine(SettingScans.Files, format + ".settings")), Listing(settings));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Settings_OfARealFile_HoldNoSecretAndNoDigestOfOne(string format)
    {
        var entries = SettingScans.EntriesOf(format);

        var digest = Encoding.Latin1.GetString(Digest.Of("PLANTED"u8).ToArray());
        foreach (var entry in entries)
        {
            var bytes = Encoding.Latin1.GetString([.. entry.Key.Bytes, .. entry.Fingerprint.Encode()]);
            Assert.DoesNotContain("PLANTED", bytes);
            Assert.DoesNotContain(digest, bytes);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void HoldsSecret_FileWithASecretValue_IsTrueOfTheWholeFile(string format)
    {
        var content = File.ReadAllBytes(Path.Combine(SettingScans.Files, format));
        var hasSecret = SettingScans.SettingsOf(format).Values.Contains("(keyed)");

        // passwd, group and nsswitch name their fields so; what they hold is no secret.
        if (hasSecret && SettingsFormat.Find(format)!.Reach == SecretReach.Everything && format != "shadow")
            Assert.True(SettingsFormat.Find(format)!.HoldsSecret(content));
    }

    [Theory]
    [MemberData(nameof(FormatsOfLines))]
    public void Settings_LinesInAnotherOrderWithOtherComments_ChangeNothingButTheOrder(string format)
    {
        using var scans = new SettingScans();
        var policy = SettingScans.Policy(("/etc/file", format));
        var lines = File.ReadAllLines(Path.Combine(SettingScans.Files, format)).Where(line => line.Length > 0 && line[0] != '#').ToArray();

        // A module that is there twice has its arguments in order.
        lines = [.. lines.DistinctBy(line => line.Split(' ', '\t').FirstOrDefault(word => word.EndsWith(".so", StringComparison.Ordinal)) ?? line)];
        scans.Tree.Write("etc/file", string.Join('\n', lines));
        var before = scans.Look(policy);

        var isCommented = format is not ("passwd" or "group" or "shadow");
        scans.Tree.Write("etc/file", (isCommented ? "# Another comment.\n\n" : "") + string.Join('\n', lines.Reverse()) + "\n");
        scans.Outcomes = new ParseOutcomes();
        var after = scans.Look(policy);

        Assert.Equal(Listing(SettingScans.Settings(before), withOrder: false), Listing(SettingScans.Settings(after), withOrder: false));
        Assert.Equal(format is "pam" or "hosts" or "apt_sources", before.Sighting.Roots != after.Sighting.Roots);
    }

    [Fact]
    public void Find_EveryNameAPolicyKnows_IsAFormat()
    {
        Assert.All(SettingsFormats.Names, name => Assert.NotNull(SettingsFormat.Find(name)));
    }

    private static string Listing(IReadOnlyDictionary<string, string> settings, bool withOrder = true) => string.Concat(settings
        .Where(setting => withOrder || setting.Key != "\\x23order")
        .Select(setting => $"{setting.Key} = {setting.Value}\n"));
}
