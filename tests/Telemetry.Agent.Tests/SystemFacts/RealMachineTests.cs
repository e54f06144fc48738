using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

/// <summary>This machine's facts, held against its own tools.</summary>
public sealed class RealMachineTests
{
    [Fact]
    public void Kernel_AgreesWithUname()
    {
        var facts = Facts.Of(new KernelScanner("/proc"));

        Assert.Contains("kernel/release " + Shell.Run("/", "uname -r").Trim(), facts.Entries);
        Assert.Contains("kernel/version " + Shell.Run("/", "uname -v").Trim(), facts.Entries);
    }

    [Fact]
    public void Modules_AgreeWithTheKernelsList()
    {
        var facts = Facts.Of(new ModuleScanner("/proc", "/sys"));

        // A kernel without modules is normal in a small virtual machine.
        Assert.Equal(File.Exists("/proc/modules"), facts.IsThere);
        Assert.Equal(
            Shell.Run("/", "cut -d' ' -f1 /proc/modules 2>/dev/null | LC_ALL=C sort || true").Split('\n', StringSplitOptions.RemoveEmptyEntries),
            facts.Entries.Select(entry => entry.Split(' ')[0]["module/".Length..]));
    }

    [Theory]
    [InlineData("net.ipv4.ip_forward")]
    [InlineData("net.ipv4.conf.*.rp_filter")]
    [InlineData("kernel.*_max")]
    [InlineData("net.ipv4.tcp_*mem")]
    public void Sysctl_AgreesWithSysctl(string pattern)
    {
        var facts = Facts.Of(new SysctlScanner("/proc", [SysctlPattern.Parse(pattern)]));

        // Dots do not match a star: every star stands within one part, so the count of dots is the pattern's.
        var expression = "^" + pattern.Replace(".", "\\.").Replace("*", "[^.]*") + " = ";
        var expected = Shell.Run("/", $"sysctl -a 2>/dev/null | grep -E '{expression}' || true").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Select(line => line.Replace(" = ", " ", StringComparison.Ordinal).Replace("\t", @"\x09", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            facts.Entries.Select(entry => entry["sysctl/".Length..].Replace(@"\x2f", "/")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Mounts_AgreeWithFindmnt()
    {
        // Others mount and unmount meanwhile: what is there before and after is enough.
        var before = Findmnt();
        var facts = Facts.Of(new MountScanner("/proc"));
        var expected = before.Intersect(Findmnt());

        var actual = facts.Entries.Select(entry => entry["mount/".Length..].Split(' ', 2))
            .ToDictionary(entry => entry[0].Replace(@"\x2f", "/"), entry => entry[1]);
        Assert.All(expected, mount => Assert.Equal(mount.Value, actual[mount.Key]));
        Assert.Contains("/", actual.Keys);

        // Of stacked mounts findmnt shows all; the last is the one that is seen.
        static Dictionary<string, string> Findmnt() => Shell.Run("/", "findmnt --task 1 --noheadings --raw --output TARGET,SOURCE,FSTYPE,OPTIONS")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Where(line => line[2] is not ("autofs" or "nsfs" or "tmpfs" or "devtmpfs") && !line[0].StartsWith("/run/", StringComparison.Ordinal))
            .GroupBy(line => line[0])
            .ToDictionary(group => group.Key, group => $"{group.Last()[1]} {group.Last()[2]} {string.Join(',', group.Last()[3].Split(',').Order(StringComparer.Ordinal))}");
    }

    [Fact]
    public async Task Sockets_AgreeWithSs()
    {
        // Others open and close sockets meanwhile: equal before or after is enough for each, once none came and went in between.
        string[] different = [];
        await Eventually.True(
            () =>
            {
                var before = Ss();
                var facts = Facts.Of(new SocketScanner("/", "/proc", TimeProvider.System));
                var after = Ss();

                var actual = facts.Entries.Where(entry => entry.StartsWith("socket/tcp/", StringComparison.Ordinal))
                    .Select(entry => entry.Split(' ')[0]["socket/tcp/".Length..]).ToHashSet();
                different = [.. before.Intersect(after).Except(actual), .. actual.Except(before.Union(after)), .. facts.Gaps.Select(gap => gap.Reason)];
                return different.Length == 0;
            },
            "the scanner to agree with ss", TestContext.Current.CancellationToken, () => string.Join(", ", different));

        static HashSet<string> Ss() => [.. Shell.Run("/", "ss -H -ltn | awk '{ print $4 }'")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(address => address[..address.LastIndexOf(':')].Trim('[', ']').Replace("*", "::") + "/" + address[(address.LastIndexOf(':') + 1)..])];
    }

    [Fact]
    public void Units_AgreeWithSystemctl()
    {
        var facts = Facts.Of(new UnitScanner("/", failed: null));

        Assert.NotEmpty(facts.Entries);
        foreach (var entry in facts.Entries.Select(entry => entry["unit/".Length..].Split(' ')))
            Assert.Equal(entry[1], Shell.TryRun("/", "systemctl", "--root=/", "is-enabled", entry[0].Replace(@"\x5c", "\\")).Output.Trim());
    }

    [Fact]
    public void FailedUnits_WithoutARunningSystemd_AreAGap()
    {
        Assert.SkipWhen(Directory.Exists("/run/systemd/system"), "systemd runs here");

        var facts = Facts.Of(new UnitScanner("/", new FailedUnits("/usr/bin/systemctl")));

        Assert.Contains("which units failed is not known", Assert.Single(facts.Gaps).Reason);
    }
}
