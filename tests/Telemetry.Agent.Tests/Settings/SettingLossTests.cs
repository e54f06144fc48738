using System.Text.RegularExpressions;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Tests.Settings;

/// <summary>What a program obeys shows in the settings: a change that does not is taken for another comment.</summary>
public sealed partial class SettingLossTests
{
    /// <summary>What the real files lack.</summary>
    private static readonly Dictionary<string, string> More = new()
    {
        ["apache"] = "SSLRequire %{A} in {\"b\", \"c\"}\n<Location />\n</Location>\n",
        ["crontab"] = "-*/7 1-2 * * 1,2 bob /bin/true\n",
        ["fstab"] = "/dev/sdc1 /data ext4 noexec,defaults,ro 0 2\n",
        ["group"] = "+:::\n",
        ["logrotate"] = "compressoptions -9 -q\ntabooext .bak\ninclude /etc/logrotate.more\n",
        ["mysql"] = "[mysqld_safe]\nskip-name-resolve\n!includedir /etc/more\n",
        ["passwd"] = "+@admins::::::\n+carol::::::/bin/sh\n-dave::::::\n+::::::\n",
        ["resolv"] = "sortlist 10.0.0.0/255.0.0.0 10.1.0.0\nlookup file bind\nnameserver 10.0.0.55 # third\ndomain example.net\n",
        ["sshd"] = "match user carol\n  permitRootLogin yes\n",
        ["sudoers"] = """
            #1001 ALL=(ALL:ALL) NOPASSWD: ALL
            %#1002 ALL=(#0:#5) ALL, !/bin/su
            bob, #1003 web = (root) SETENV: /bin/ls -l
            User_Alias NUMBERS = #1004, alice
            Defaults env_keep += "COLORS DISPLAY"
            Defaults env_delete -= "A B"
            Defaults env_check = "C D", !insults
            Defaults:#1001 !authenticate
            #includedir /etc/sudoers.more

            """,
        ["sysctl"] = "kernel.one = 1 # 2\n",
        ["systemd"] = "Environment=A=b C=d # E=f\nExecStart=/bin/sh -c \"true # /bin/false\"\n",
    };

    /// <summary>Signs that may be there or not.</summary>
    private static readonly Dictionary<string, string> Ornaments = new()
    {
        ["properties"] = "=:",
    };

    public static TheoryData<string> Formats => [.. SettingsFormats.Names];

    [Theory]
    [MemberData(nameof(Formats))]
    public void EveryWord_OfAFile_CountsForItsSettings(string format) =>
        Assert.Empty(Unnoticed(format, Words().Matches(Sample(format)), word => word + "1"));

    [Theory]
    [MemberData(nameof(Formats))]
    public void EverySign_OfAFile_CountsForItsSettings(string format) =>
        Assert.DoesNotContain(Unnoticed(format, Signs().Matches(Sample(format)), _ => ""), change => !Ornaments.GetValueOrDefault(format, "").Contains(change.Sign));

    [Theory]
    [InlineData("sudoers", "bob ALL=ALL\n", "bob ALL=ALL\n#1001 ALL=(ALL:ALL) NOPASSWD: ALL\n")]
    [InlineData("sudoers", "bob ALL=ALL\n", "bob ALL=ALL\n%#1001 ALL=ALL\n")]
    [InlineData("sudoers", "#1001 ALL=ALL\n", "+.n1001 ALL=ALL\n")]
    [InlineData("sudoers", "bob, #1001 ALL=(ALL) ALL\n", "bob, #1001 ALL=(#0) ALL\n")]
    [InlineData("sudoers", "Defaults env_keep += \"COLORS\"\n", "Defaults env_keep += \"COLORS LD_PRELOAD\"\n")]
    [InlineData("sudoers", "Defaults env_keep = COLORS\n", "Defaults env_keep = LD_PRELOAD\n")]
    [InlineData("sudoers", "bob ALL=ALL\nann ALL=ALL, !/bin/su\n", "ann ALL=ALL, !/bin/su\nbob ALL=ALL\n")]
    [InlineData("sudoers", "Defaults use_pty\n@includedir /etc/more\n", "@includedir /etc/more\nDefaults use_pty\n")]
    [InlineData("sshd", "Include /etc/more\nPermitRootLogin yes\n", "PermitRootLogin yes\nInclude /etc/more\n")]
    [InlineData("sshd", "permitrootlogin no\nPermitRootLogin yes\n", "PermitRootLogin yes\npermitrootlogin no\n")]
    [InlineData("sshd", "Port 22\nmatch user bob\n  X11Forwarding no\n", "Port 22\nmatch user bob\n  X11Forwarding yes\n")]
    [InlineData("fstab", "/dev/a /a ext4 defaults,noexec 0 2\n", "/dev/a /a ext4 noexec,defaults 0 2\n")]
    [InlineData("fstab", "/dev/a /a ext4 ro,rw 0 2\n", "/dev/a /a ext4 rw,ro 0 2\n")]
    [InlineData("fstab", "/dev/a /a ext4 ro 0 2\n/dev/a /a ext4 rw 0 2\n", "/dev/a /a ext4 rw 0 2\n/dev/a /a ext4 ro 0 2\n")]
    [InlineData("crontab", "PATH=/bin\n1 2 * * * root run\n", "1 2 * * * root run\nPATH=/bin\n")]
    [InlineData("systemd", "[Service]\nPassEnvironment=\nPassEnvironment=A\n", "[Service]\nPassEnvironment=A\nPassEnvironment=\n")]
    [InlineData("systemd", "[Service]\nExecStart=/bin/sh -c \"true #\"\n", "[Service]\nExecStart=/bin/sh -c \"true # ; false\"\n")]
    [InlineData("resolv", "nameserver 10.0.0.1\nnameserver 10.0.0.2\n", "nameserver 10.0.0.2\nnameserver 10.0.0.1\n")]
    [InlineData("resolv", "nameserver 10.0.0.1 # a\n", "nameserver 10.0.0.2 # a\n")]
    [InlineData("resolv", "domain a.example\nsearch b.example\n", "search b.example\ndomain a.example\n")]
    [InlineData("apt_sources", "deb http://a b main\ndeb http://c b main\n", "deb http://c b main\ndeb http://a b main\n")]
    [InlineData("sysctl", "kernel.a = 1 # b\n", "kernel.a = 2 # b\n")]
    [InlineData("logrotate", "/var/log/a {\n  create\n  nocreate\n}\n", "/var/log/a {\n  nocreate\n  create\n}\n")]
    [InlineData("logrotate", "weekly\n/var/log/a {\n  compress\n}\n", "/var/log/a {\n  compress\n}\nweekly\n")]
    [InlineData("mysql", "[mysqld]\nport = 1\n!include /etc/more\n", "!include /etc/more\n[mysqld]\nport = 1\n")]
    [InlineData("json", "[{\"name\":\"a\"},{\"name\":\"b\"}]\n", "[{\"name\":\"b\"},{\"name\":\"a\"}]\n")]
    public void Change_ThatMeansSomethingElse_Shows(string format, string before, string after)
    {
        var settings = Settings(format, before, after);

        Assert.All(settings, setting => Assert.NotNull(setting));
        Assert.NotEqual(settings[0], settings[1]);
    }

    [Theory]
    [InlineData("crontab", "PATH=/bin\nSHELL=/bin/sh\n1 2 * * * root run\n1 3 * * * root walk\n", "SHELL=/bin/sh\nPATH=/bin\n1 3 * * * root walk\n1 2 * * * root run\n")]
    [InlineData("fstab", "/dev/a /a ext4 defaults,noexec,nosuid 0 2\n", "/dev/a /a ext4 defaults,nosuid,noexec 0 2 # a\n")]
    [InlineData("sshd", "UsePAM yes\nPrintMotd no\nInclude /etc/more\n", "# a\nPrintMotd no\nUsePAM yes\nInclude /etc/more\n")]
    [InlineData("sudoers", "Defaults use_pty\nDefaults !insults\nbob ALL=ALL\n# 1\n", "bob ALL=ALL\n# 2\nDefaults !insults\nDefaults use_pty\n")]
    [InlineData("hosts", "10.0.0.1 a\n10.0.0.2 b\n", "10.0.0.2 b # 1\n10.0.0.1 a\n")]
    [InlineData("systemd", "[Service]\nEnvironment=A=b\nEnvironment=C=d\n", "[Service]\n# a\nEnvironment=C=d\nEnvironment=A=b\n")]
    public void Change_ThatMeansTheSame_DoesNot(string format, string before, string after)
    {
        var settings = Settings(format, before, after);

        Assert.NotNull(settings[0]);
        Assert.Equal(settings[0], settings[1]);
    }

    [Fact]
    public void Value_ThatAFormatMakesNothingOf_IsToldAsTheRest()
    {
        var root = new SettingNode("", null);
        var known = root.Add(new SettingNode("known", "1"));
        known.Add(new SettingNode("odd", "2"));
        known.Add(new SettingNode("#comment", "3"));
        Assert.Equal("1", known.Text);

        var settings = new SettingList(text => text);
        settings.AddRest(root.Unread());

        Assert.Equal(("#rest", "odd=2"), settings.All.Select(setting => (Assert.Single(setting.Name), setting.Value)).Single());
    }

    private static string Sample(string format) => File.ReadAllText(Path.Combine(SettingScans.Files, format)) + More.GetValueOrDefault(format);

    /// <summary>What can be changed without a change of any setting, with its line and what is changed in it.</summary>
    private static List<(string Line, string Sign)> Unnoticed(string format, MatchCollection matches, Func<string, string> change)
    {
        var sample = Sample(format);
        var changed = matches.Where(match => !IsComment(format, sample, match.Index))
            .Select(match => (match, Text: sample[..match.Index] + change(match.Value) + sample[(match.Index + match.Length)..]))
            .ToList();
        Assert.NotEmpty(changed);

        var settings = Settings(format, [sample, .. changed.Select(one => one.Text)]);
        Assert.NotNull(settings[0]);
        return [.. changed.Zip(settings.Skip(1)).Where(one => one.Second == settings[0]).Select(one => (LineOf(sample, one.First.match.Index), one.First.match.Value))];
    }

    /// <summary>Of each text all settings; null: it can't be parsed, which is told.</summary>
    private static List<string?> Settings(string format, params IReadOnlyList<string> texts)
    {
        using var scans = new SettingScans();
        for (var i = 0; i < texts.Count; i++)
            scans.Tree.Write($"etc/some/{i}", texts[i]);
        var seen = scans.Look(SettingScans.Policy(("/etc/some/*", format)));
        var refused = seen.Sighting.Coverage.Gaps.Where(gap => gap.IsRefused).Select(gap => gap.Prefix).ToHashSet();
        Assert.DoesNotContain(seen.Sighting.Coverage.Gaps, gap => !gap.IsRefused);

        var settings = seen.Entries(EntryKind.Setting).ToLookup(entry => SettingKey.FileOf(entry.Key.Bytes));
        return [.. texts.Select((_, i) => refused.Contains(EntryKey.Of($"etc/some/{i}")) ? null : Listing(i))];

        string Listing(int i) => string.Join('\n', settings[EntryKey.OfPath($"/etc/some/{i}")].Select(
            entry => $"{Convert.ToHexString(entry.Key.Bytes[$"etc/some/{i}".Length..])} {Convert.ToHexString(entry.Fingerprint.Encode())}"));
    }

    private static bool IsComment(string format, string text, int index)
    {
        var line = LineOf(text, index);
        var place = index - (text.LastIndexOf('\n', Math.Max(index - 1, 0)) + 1);
        if (format is "passwd" or "group" or "shadow" or "json")
            return false;
        if (line.TrimStart() is ['#', ..] && !(format == "sudoers" && SudoersNoComment().IsMatch(line)))
            return true;
        if (line.TrimStart() is [';', ..] && format is "ini" or "php" or "mysql" or "systemd" or "sysctl" or "resolv")
            return true;
        if (format is "properties" && line.TrimStart() is ['!', ..])
            return true;
        var end = format is "pam" or "hosts" or "fstab" or "nsswitch" or "limits" or "apt_sources" or "nginx" or "mysql" or "resolv" ? line.IndexOf(" #", StringComparison.Ordinal) : -1;
        return end >= 0 && place > end;
    }

    private static string LineOf(string text, int index)
    {
        var begin = index == 0 ? 0 : text.LastIndexOf('\n', index - 1) + 1;
        return text[begin..(text.IndexOf('\n', index) is var end and >= 0 ? end : text.Length)];
    }

    [GeneratedRegex("[A-Za-z0-9_]+")]
    private static partial Regex Words();

    [GeneratedRegex("[^A-Za-z0-9_\\s]")]
    private static partial Regex Signs();

    [GeneratedRegex("^#([0-9]|include)")]
    private static partial Regex SudoersNoComment();
}
