using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The shipped unit under a real systemd: with its few capabilities and system calls the agent does all of its work.</summary>
[Trait("Category", "Long")]
public sealed class ShippedUnitTests(DebianRoot root) : IClassFixture<DebianRoot>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Service_ThroughItsLife_WatchesAnswersAndComesBack()
    {
        Assert.SkipUnless(
            (DebianRoot.CanBeMade && File.Exists("/usr/bin/systemd-nspawn")) || Environment.GetEnvironmentVariable("CI") is not null,
            "debootstrap, systemd-nspawn, and root to run them, are needed");
        await BootedDebian.Prepare(root);
        await using var machine = await BootedDebian.Start(root);

        // It is ready, watches everything, and parses settings in its helper.
        var first = await Status(machine, status => status.GetProperty("head").ValueKind == JsonValueKind.Object);
        Assert.Equal("active", (await machine.Succeed("systemctl is-active telemetry-agent")).Trim());
        var watched = Assert.Single(first.GetProperty("coverage").GetProperty("watched").EnumerateArray().ToList());
        Assert.Equal(("/", "fanotify"), (watched.GetProperty("path").GetString(), watched.GetProperty("method").GetString()));
        Assert.DoesNotContain(first.GetProperty("coverage").GetProperty("gaps").EnumerateArray(), gap => gap.GetProperty("key").GetString()!.StartsWith("setting:", StringComparison.Ordinal));
        Assert.True(Entries(first, "setting") > 0);
        Assert.Equal(long.Parse(await machine.Succeed("dpkg-query -f '.\n' -W | wc -l"), null), Entries(first, "package"));
        Assert.Equal("600 root", (await machine.Succeed("stat -c '%a %U' /run/telemetry/agent.sock")).Trim());

        // Nothing that the unit takes away was missed.
        var journal = await machine.Succeed("journalctl -u telemetry-agent -p warning -o cat --no-pager");
        Assert.DoesNotContain("ermi", journal, StringComparison.Ordinal);  // permission, permitted

        await RunsChecksAndSamplesServices(machine);

        // A change is seen at once, whoever makes it and wherever: here behind the layer's file and its directory.
        var layered = await Status(machine, status => Entries(status, "file") == Entries(first, "file") + 2);
        await machine.Succeed("mkdir -p /opt/shop; echo 1 > /opt/shop/f; chown nobody /opt/shop/f; chmod 600 /opt/shop/f");
        await Status(machine, status => Entries(status, "file") == Entries(layered, "file") + 2 && Sequence(status) > Sequence(layered));

        // What stands still is started again by systemd; what is stopped stays away and answers nobody.
        await machine.Succeed("mkdir -p /run/systemd/system/telemetry-agent.service.d; printf '[Service]\nWatchdogSec=16s\n' > /run/systemd/system/telemetry-agent.service.d/w.conf; systemctl daemon-reload");
        var before = (await Status(machine, _ => true)).GetProperty("pid").GetInt32();
        await machine.Succeed("systemctl restart telemetry-agent");
        var second = await Status(machine, status => status.GetProperty("pid").GetInt32() != before);
        await machine.Succeed("sleep 20");  // longer than the watchdog has patience
        Assert.Equal(second.GetProperty("pid").GetInt32(), (await Status(machine, _ => true)).GetProperty("pid").GetInt32());
        await machine.Succeed($"kill -STOP {second.GetProperty("pid").GetInt32()}");
        var third = await Status(machine, status => status.GetProperty("pid").GetInt32() != second.GetProperty("pid").GetInt32());
        Assert.Equal(first.GetProperty("instance").GetString(), third.GetProperty("instance").GetString());
        await machine.Succeed("systemctl stop telemetry-agent");
        Assert.Equal(69, (await machine.Run("telemetry-agent status")).ExitCode);
        Assert.Equal("success", (await machine.Succeed("systemctl show -P Result telemetry-agent")).Trim());
    }

    /// <summary>A plug-in becomes the user that is made for it, without any capability, and systemd tells its services: with a collector that is away, which wanted metrics once.</summary>
    private static async Task RunsChecksAndSamplesServices(BootedDebian machine)
    {
        await machine.Succeed("""
            mkdir -p /etc/telemetry/layers.d
            cat > /etc/telemetry/layers.d/web.toml << 'END'
            [[checks]]
            name = "who"
            command = ["/bin/sh", "-c", "echo I am $(id -un), limited to $(ulimit -d), with $(grep -c -E '^Cap(Inh|Prm|Eff|Amb):.0+$|^NoNewPrivs:.1$' /proc/self/status)"]
            interval = "1s"
            timeout = "1s"
            END
            sed -i '1i collector = "http://127.0.0.1:9"' /etc/telemetry/agent.toml
            sed -i '/^\[health.intervals\]/a systemd_units = "1s"' /etc/telemetry/agent.toml
            mkdir -p /var/lib/telemetry-agent/spool/health
            touch /var/lib/telemetry-agent/spool/health/wanted
            systemctl restart telemetry-agent
            """);
        await Eventually.True(
            () => machine.Run("journalctl -u telemetry-agent -o cat --no-pager | grep 'I am telemetry-checks, limited to 65536, with 5'").GetAwaiter().GetResult().ExitCode == 0,
            "the check to run as telemetry-checks", Cancellation, () => machine.Run("journalctl -u telemetry-agent -o cat --no-pager | tail -50").GetAwaiter().GetResult().Output);

        // Each by its name, as systemctl has them.
        await Eventually.True(
            () => machine.Run("""
                for unit in $(systemctl list-units --all --plain --no-legend --full --type=service | awk '{ print $1 }'); do
                  grep -q -a -F "$unit" /var/lib/telemetry-agent/spool/health/*.spool || exit 1
                done
                grep -q -a active_code /var/lib/telemetry-agent/spool/health/*.spool
                """).GetAwaiter().GetResult().ExitCode == 0,
            "all services to be sampled", Cancellation, () => machine.Run("journalctl -u telemetry-agent -o cat --no-pager | tail -50; systemctl list-units --all --plain --no-legend --full --type=service").GetAwaiter().GetResult().Output);
    }

    private static long Entries(JsonElement status, string kind) => status.GetProperty("head").GetProperty("entries").GetProperty(kind).GetInt64();

    private static ulong Sequence(JsonElement status) => status.GetProperty("head").GetProperty("sequence").GetUInt64();

    private static async Task<JsonElement> Status(BootedDebian machine, Func<JsonElement, bool> isAwaited) => (JsonElement)await Eventually.Get(
        async () => await machine.Run("telemetry-agent status") is { ExitCode: 0 } finished
            && JsonDocument.Parse(finished.Output).RootElement is var status && isAwaited(status) ? (object)status : null,
        "the agent's status",
        Cancellation,
        () => machine.Run("journalctl -u telemetry-agent -o cat --no-pager | tail -50; telemetry-agent status").GetAwaiter().GetResult().Output);
}
