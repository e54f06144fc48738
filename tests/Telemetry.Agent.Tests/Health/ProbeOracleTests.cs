using System.Globalization;
using Telemetry.Agent.Health;
using Telemetry.Agent.Linux;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

/// <summary>Each probe on this machine, held against the system's own tools. What counts up is between what they say before and after.</summary>
[Collection("Mounts")]  // one mounts and unmounts, the other asks which there are, twice
public sealed class ProbeOracleTests
{
    [Fact]
    public void Cpu_AgreesWithTop()
    {
        var probe = new CpuProbe("/proc");
        var began = TimeProvider.System.GetTimestamp();
        probe.Look();

        // Its second look is over two seconds, which are within those of the probe.
        var idle = Numbers("top -b -d 2 -n 2 -w 200 | grep '^%Cpu' | tail -n 1 | sed -E 's/.* ([0-9.]+) id.*/\\1/'")[0];
        var total = probe.Points().Single(point => point.Tag("cpu") == "cpu-total");

        Longer(idle, total.Float("usage_idle"), began);
    }

    [Fact]
    public void Mem_AgreesWithFree()
    {
        // total used free shared buff/cache available
        var before = Numbers("free -b | sed -n 2p | cut -d: -f2");
        var point = Assert.Single(new MemProbe("/proc").Points());
        var after = Numbers("free -b | sed -n 2p | cut -d: -f2");

        Assert.Equal((long)before[0], point.Int("total"));
        Between(before[2], point.Int("free"), after[2], slack: 256 << 20);
        Between(before[3], point.Int("shared"), after[3], slack: 64 << 20);
        Between(before[4], point.Int("buffered") + point.Int("cached"), after[4], slack: 256 << 20);
        Between(before[5], point.Int("available"), after[5], slack: 256 << 20);
    }

    [Fact]
    public void Swap_AgreesWithFreeAndVmstat()
    {
        var before = Numbers("vmstat -s | sed -nE 's/ *([0-9]+) pages swapped (in|out)/\\1/p'");
        var points = new SwapProbe("/proc").Points();
        var after = Numbers("vmstat -s | sed -nE 's/ *([0-9]+) pages swapped (in|out)/\\1/p'");

        Assert.Equal((long)Numbers("free -b | sed -n 3p | cut -d: -f2")[0], points[0].Int("total"));
        Between(before[0] * Environment.SystemPageSize, points[1].Int("in"), after[0] * Environment.SystemPageSize);
        Between(before[1] * Environment.SystemPageSize, points[1].Int("out"), after[1] * Environment.SystemPageSize);
    }

    [Fact]
    public void Disk_AgreesWithDf()
    {
        const string Df = "df -B1 --output=target,size,used,avail,itotal,iused --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=overlay --exclude-type=squashfs --exclude-type=iso9660 | tail -n +2";
        var before = Rows(Df);
        var points = new DiskProbe("/proc", "/").Points();
        var after = Rows(Df);

        foreach (var (path, values) in before)
        {
            if (!after.TryGetValue(path, out var later) || values[0] == 0)
                continue;
            var point = Assert.Single(points, point => point.Tag("path") == path);
            Assert.Equal((long)values[0], point.Int("total"));
            Between(values[1], point.Int("used"), later[1], slack: 1 << 30);
            Between(values[2], point.Int("free"), later[2], slack: 1 << 30);
            Assert.Equal((long)values[3], point.Int("inodes_total"));
            Between(values[4], point.Int("inodes_used"), later[4], slack: 100_000);
            Assert.InRange(point.Float("used_percent"), 0, 100);
        }
    }

    [Fact]
    public void DiskIo_AgreesWithVmstat()
    {
        // reads: total merged sectors ms; writes: the same.
        const string Vmstat = "vmstat -d | tail -n +3";
        var before = Rows(Vmstat);
        var points = new DiskIoProbe("/proc", TimeProvider.System).Points().ToDictionary(point => point.Tag("name"));
        var after = Rows(Vmstat);

        foreach (var (name, values) in before.Where(row => row.Value.Take(8).Any(value => value > 0) && after.ContainsKey(row.Key)))
        {
            Between(values[0], points[name].Int("reads"), after[name][0]);
            Between(values[1], points[name].Int("merged_reads"), after[name][1]);
            Between(values[2] * 512, points[name].Int("read_bytes"), after[name][2] * 512);
            Between(values[3], points[name].Int("read_time"), after[name][3]);
            Between(values[4], points[name].Int("writes"), after[name][4]);
            Between(values[6] * 512, points[name].Int("write_bytes"), after[name][6] * 512);
            Between(values[7], points[name].Int("write_time"), after[name][7]);
        }
    }

    [Fact]
    public void DiskIo_AgreesWithIostat()
    {
        var probe = new DiskIoProbe("/proc", TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        probe.Look();
        var busy = Rows("S_TIME_FORMAT=ISO LC_ALL=C iostat -d -x -y 2 1 | awk 'NF > 10 && $1 != \"Device\" { print $1, $NF }'");
        var points = probe.Points().ToDictionary(point => point.Tag("name"));

        // Its two seconds are within those of the probe.
        foreach (var (name, values) in busy.Where(device => points.ContainsKey(device.Key)))
            Longer(values[0], points[name].Float("io_util"), began);
    }

    [Fact]
    public void Net_AgreesWithIp()
    {
        const string Ip = "ip -o link show up | grep -v LOOPBACK | sed -E 's/^[0-9]+: ([^:@]+).*/\\1/' | while read -r name; do echo \"$name $(cat /sys/class/net/$name/statistics/{tx_bytes,rx_bytes,tx_packets,rx_packets} | tr '\\n' ' ')\"; done";
        var before = Rows(Ip);
        var points = new NetProbe("/proc", "/sys").Points().ToDictionary(point => point.Tag("interface"));
        var after = Rows(Ip);

        Assert.Empty(before.Keys.Intersect(after.Keys).Except(points.Keys));
        Assert.Empty(points.Keys.Except(before.Keys.Union(after.Keys)));
        foreach (var (name, values) in before.Where(row => after.ContainsKey(row.Key)))
        {
            Between(values[0], points[name].Int("bytes_sent"), after[name][0]);
            Between(values[1], points[name].Int("bytes_recv"), after[name][1]);
            Between(values[2], points[name].Int("packets_sent"), after[name][2]);
            Between(values[3], points[name].Int("packets_recv"), after[name][3]);
        }
    }

    [Fact]
    public async Task Netstat_AgreesWithSs()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        const string Ss = "for state in listening established; do ss -H -tan state $state | wc -l; done; ss -H -uan | wc -l";

        // Others open and close sockets meanwhile: once it is quiet enough, all three agree.
        await Eventually.True(
            () =>
            {
                var before = Numbers(Ss);
                var point = Assert.Single(new NetstatProbe("/proc").Points());
                var after = Numbers(Ss);
                long[] found = [point.Int("tcp_listen"), point.Int("tcp_established"), point.Int("udp_socket")];
                Assert.InRange(found[0], 1, long.MaxValue);
                return before.SequenceEqual(after) && found.SequenceEqual(before.Select(count => (long)count));
            },
            "the probe to agree with ss", TestContext.Current.CancellationToken);
    }

    [Fact]
    public void System_AgreesWithTheKernelAndLscpu()
    {
        var before = Numbers("cut -d. -f1 /proc/uptime")[0];
        var points = new SystemProbe("/proc", "/sys", "/run/utmp").Points();
        var after = Numbers("cut -d. -f1 /proc/uptime")[0];

        Assert.Equal(3, points.Count);
        Assert.Equal((long)Numbers("getconf _NPROCESSORS_ONLN")[0], points[0].Int("n_cpus"));
        Assert.Equal((long)Numbers("lscpu -p=CORE,SOCKET | grep -v '^#' | sort -u | wc -l")[0], points[0].Int("n_physical_cpus"));
        Between(before, points[1].Int("uptime"), after);
        var load = Numbers("cut -d' ' -f3 /proc/loadavg")[0];
        Assert.InRange(points[0].Float("load15"), load - 1, load + 1);
        Assert.Equal(File.Exists("/run/utmp"), points[0].Fields.Any(field => field.Name == "n_users"));
        if (File.Exists("/run/utmp"))
            Assert.Equal((long)Numbers("who | wc -l")[0], points[0].Int("n_users"));
    }

    [Fact]
    public void Processes_AgreeWithPs()
    {
        var before = Numbers("ps -e --no-headers | wc -l; ps -eL --no-headers | wc -l");
        var point = Assert.Single(new ProcessesProbe("/proc").Points());
        var after = Numbers("ps -e --no-headers | wc -l; ps -eL --no-headers | wc -l");

        // ps counts itself, its shell and wc; others start and end.
        Between(before[0], point.Int("total"), after[0], slack: 30);
        Between(before[1], point.Int("total_threads"), after[1], slack: 200);
        string[] states = ["blocked", "zombies", "stopped", "running", "sleeping", "unknown", "dead", "paging", "idle"];
        Assert.Equal(point.Int("total"), states.Sum(point.Int) + point.Fields.Where(field => field.Name == "parked").Sum(field => field.Integer!.Value));
    }

    [Fact]
    public void Kernel_AgreesWithVmstat()
    {
        const string Vmstat = "vmstat -s | sed -nE 's/ *([0-9]+) (interrupts|CPU context switches|boot time|forks)/\\1/p'";
        var before = Numbers(Vmstat);
        var point = Assert.Single(new KernelProbe("/proc").Points());
        var after = Numbers(Vmstat);

        Between(before[0], point.Int("interrupts"), after[0]);
        Between(before[1], point.Int("context_switches"), after[1]);
        Assert.Equal((long)before[2], point.Int("boot_time"));
        Between(before[3], point.Int("processes_forked"), after[3]);
        Assert.Equal((long)Numbers("cat /proc/sys/kernel/random/entropy_avail")[0], point.Int("entropy_avail"));
    }

    [Fact]
    public void Pressure_AgreesWithTheKernel()
    {
        const string Totals = "cat /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io 2>/dev/null | sed -E 's/.*total=//' || true";
        var before = Numbers(Totals);
        var points = new PressureProbe("/proc").Points().Where(point => point.Fields[0].Name == "total").ToList();
        var after = Numbers(Totals);

        Assert.Equal(before.Count, points.Count);
        for (var i = 0; i < points.Count; i++)
            Between(before[i], points[i].Int("total"), after[i]);
    }

    [Fact]
    public void SystemdUnits_AgreeWithSystemctl()
    {
        var expected = Shell.Run("/", "systemctl list-units --all --plain --no-legend --full --type=service 2>/dev/null | awk '{ print $1, $2, $3, $4 }' || true").Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var points = new SystemdUnitsProbe(SystemdSocket.OfThisMachine).Points();

        // Where no systemd runs, both have nothing to say.
        var actual = points.Select(point => $"{point.Tag("name")} {point.Tag("load")} {point.Tag("active")} {point.Tag("sub")}").ToList();
        Assert.InRange(expected.Except(actual).Count() + actual.Except(expected).Count(), 0, Math.Max(0, expected.Length / 10));
    }

    [Fact]
    public void Agent_AgreesWithPs()
    {
        var figures = new AgentFigures(5, 6, 7, 8, 2, 3, 4, 9, 1, TimeSpan.FromMilliseconds(2), TimeSpan.FromSeconds(1));
        var probe = new AgentProbe("/proc", () => figures, TimeProvider.System);
        var first = Assert.Single(probe.Points());
        var resident = Numbers($"ps -o rss= -p {Environment.ProcessId}")[0] * 1024;

        Assert.StartsWith("events=6i event_overflows=7i losses=8i watched_parts=2i coverage_gaps=3i spool_records=4i spool_bytes=9i spool_dropped=1i entries=5i ack_latency_ns=2000000i", first.Text());
        Assert.InRange(first.Int("memory_resident"), resident / 2, resident * 2);
        Assert.DoesNotContain(first.Fields, field => field.Name == "cpu_percent");
        Assert.Equal(0, Assert.Single(probe.Points()).Float("cpu_percent"));
    }

    private static List<double> Numbers(string script) =>
        [.. Shell.Run("/", script).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];

    /// <summary>By the first word of each line.</summary>
    private static Dictionary<string, List<double>> Rows(string script)
    {
        var rows = new Dictionary<string, List<double>>();
        foreach (var line in Shell.Run("/", script).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            rows[words[0]] = [.. words.Skip(1).Select(word => double.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        }

        return rows;
    }

    /// <summary>
    /// Percents of two seconds, and of a time around them that was as much longer as the machine is slow: of the rest nobody knows
    /// anything. Both round, and the kernel counts in ticks.
    /// </summary>
    private static void Longer(double ofTwoSeconds, double value, long began)
    {
        var two = Math.Min(1, 2 / TimeProvider.System.GetElapsedTime(began).TotalSeconds);
        Assert.InRange(value, (two * ofTwoSeconds) - 10, (two * ofTwoSeconds) + (100 * (1 - two)) + 10);
    }

    private static void Between(double before, double value, double after, double slack = 0) =>
        Assert.InRange(value, Math.Min(before, after) - slack, Math.Max(before, after) + slack);
}
