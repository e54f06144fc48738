using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Settings;

/// <summary>Against the programs whose files these are.</summary>
public sealed class FormatOracleTests
{
    [Fact]
    public void Fstab_IsWhatFindmntReads()
    {
        var lines = Shell.Run(SettingScans.Files, "findmnt --tab-file fstab -rn -o TARGET,SOURCE,FSTYPE,OPTIONS").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var expected = lines.Select(line => line.Split(' ')).Where(fields => fields[0].StartsWith('/')).ToList();

        var settings = SettingScans.SettingsOf("fstab");

        foreach (var fields in expected)
        {
            var place = fields[0].Replace("/", "\\x2f");
            Assert.Equal((fields[1], fields[2]), (settings[place + "/spec"], settings[place + "/vfstype"]));
            var options = settings.Where(setting => setting.Key.StartsWith(place + "/opt/", StringComparison.Ordinal)).Select(setting => setting.Key.Split('/')[2]);
            Assert.Equal(fields[3].Split(',').Select(option => option.Split('=')[0]).Order(), options.Order());
        }

        Assert.Equal(4, expected.Count);
    }

    [Fact]
    public void Sudoers_IsWhatCvtsudoersReads()
    {
        using var read = JsonDocument.Parse(Shell.Run(SettingScans.Files, "cvtsudoers -f json sudoers"));
        var specs = read.RootElement.GetProperty("User_Specs").EnumerateArray()
            .Select(spec => string.Join(", ", spec.GetProperty("User_List").EnumerateArray().Select(user => user.EnumerateObject().First()).Select(
                user => user.Name == "usergroup" ? "%" + user.Value : user.Value.ToString())));
        var aliases = read.RootElement.GetProperty("User_Aliases").EnumerateObject().Select(alias => alias.Name);

        var settings = SettingScans.SettingsOf("sudoers");

        Assert.Equal(specs.Order(StringComparer.Ordinal), Below(settings, "spec"));
        Assert.Equal(aliases.Order(StringComparer.Ordinal), Below(settings, "User_Alias"));
    }

    [Fact]
    public void Passwd_HasEveryFieldOfEveryLine()
    {
        string[] fields = ["password", "uid", "gid", "name", "home", "shell"];
        var expected = File.ReadLines(Path.Combine(SettingScans.Files, "passwd")).Select(line => line.Split(':'))
            .SelectMany(line => fields.Select((field, index) => $"{line[0]}/{field} = {line[index + 1]}"));

        var settings = SettingScans.SettingsOf("passwd");

        Assert.Equal(expected.Order(StringComparer.Ordinal), settings.Select(setting => $"{setting.Key} = {setting.Value}").Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Below(IReadOnlyDictionary<string, string> settings, string name) => settings.Keys
        .Where(key => key.StartsWith(name + "/", StringComparison.Ordinal)).Select(key => key[(name.Length + 1)..]).Order(StringComparer.Ordinal);
}
