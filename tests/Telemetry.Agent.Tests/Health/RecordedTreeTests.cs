using Telemetry.Agent.Health;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

/// <summary>Probes on recorded kernel files, against what a person computed from them.</summary>
public sealed class RecordedTreeTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Swap_HasItsSizeAndInASecondPointWhatMovedSinceBoot()
    {
        _root.Write("meminfo", "MemTotal: 1000 kB\nSwapTotal:  400 kB\nSwapFree: 100 kB\n");
        _root.Write("vmstat", "nr_free_pages 5\npswpin 3\npswpout 7\n");

        var points = new SwapProbe(_root.Path).Points();

        var page = Environment.SystemPageSize;
        Assert.Equal(["total=409600i used=307200i free=102400i used_percent=75", $"in={3 * page}i out={7 * page}i"], points.Select(Probes.Text));
        Assert.All(points, point => Assert.Equal("swap", point.Measurement));
    }

    [Fact]
    public void Swap_WithoutAny_IsNotUsed()
    {
        _root.Write("meminfo", "SwapTotal: 0 kB\nSwapFree: 0 kB\n");

        Assert.Equal("total=0i used=0i free=0i used_percent=0", Assert.Single(new SwapProbe(_root.Path).Points()).Text());
    }

    [Fact]
    public void Kernel_HasTheFirstOfAllInterrupts()
    {
        _root.Write("stat", "cpu  1 2 3 4\nintr 4711 9 8 7 0\nctxt 815\nbtime 1700000000\nprocesses 42\nprocs_running 3\nsoftirq 5 6\n");
        _root.Write("sys/kernel/random/entropy_avail", "256\n");

        var point = Assert.Single(new KernelProbe(_root.Path).Points());

        Assert.Equal("boot_time=1700000000i context_switches=815i interrupts=4711i processes_forked=42i entropy_avail=256i", point.Text());
    }

    [Fact]
    public void Kernel_OfAStatThatIsNone_Fails()
    {
        _root.Write("stat", "cpu  1 2 3 4\nbtime x\n");

        Assert.Throws<FormatException>(() => new KernelProbe(_root.Path).Look());
    }

    [Fact]
    public void Pressure_HasTwoPointsForEachResourceAndType()
    {
        _root.Write("pressure/cpu", "some avg10=1.53 avg60=0.87 avg300=0.20 total=123456\n");
        _root.Write("pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=12.00 avg60=3.50 avg300=0.00 total=4\n");

        var points = new PressureProbe(_root.Path).Points();

        Assert.Equal(
            [
                "cpu some: avg10=1.53 avg60=0.87 avg300=0.2", "cpu some: total=123456i",
                "io some: avg10=0 avg60=0 avg300=0", "io some: total=5i",
                "io full: avg10=12 avg60=3.5 avg300=0", "io full: total=4i",
            ],
            points.Select(point => $"{point.Tag("resource")} {point.Tag("type")}: {point.Text()}"));
    }

    [Fact]
    public void Pressure_OfAKernelWithout_HasNoData()
    {
        Assert.Empty(new PressureProbe(_root.Path).Points());
    }

    [Fact]
    public void Processes_WhoseNamesHaveBrackets_AreCountedByTheirState()
    {
        Process(1, "systemd", 'S', 1);
        Process(2, "kthreadd", 'I', 1);
        Process(30, "a) R (b", 'S', 5);
        Process(31, ") Z 1 1", 'R', 2);
        Process(32, "t", 't', 1);
        Process(33, "T", 'T', 1);
        Process(34, "d", 'D', 1);
        Process(35, "z", 'Z', 1);
        Process(36, "p", 'P', 1);
        Process(37, "?", 'Q', 1);
        Process(38, "x", 'X', 1);
        _root.Write("self/stat", "9 (not a pid) R 1");
        _root.Write("40x/stat", "40 (neither) R 1");

        // Gone between the listing and the look.
        Directory.CreateDirectory(_root["41"]);

        var reading = new ProcessesProbe(_root.Path).Look();

        Assert.Equal(0, reading.Skipped);
        Assert.Equal(
            "blocked=1i zombies=1i stopped=2i running=1i sleeping=2i total=11i unknown=1i dead=1i paging=0i total_threads=16i idle=1i parked=1i",
            Assert.Single(reading.Points).Text());
    }

    [Fact]
    public void Netstat_CountsStatesOfBothFamilies()
    {
        const string Heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        _root.Write("net/tcp", Heading
            + "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
            + "   1: 0100007F:0016 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2 1\n"
            + "   2: 0100007F:9C40 0100007F:0016 06 00000000:00000000 00:00000000 00000000     0        0 0 1\n");
        _root.Write("net/tcp6", Heading
            + "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 3 1\n"
            + string.Concat(Enumerable.Range(0, 1_000).Select(i => $"{i,4}: 00000000000000000000000001000000:0050 00000000000000000000000001000000:{i:X4} 08 00000000:00000000 00:00000000 00000000 0 0 4 1\n")));
        _root.Write("net/udp", Heading + "  10: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 5 2 x 0\n");

        var point = Assert.Single(new NetstatProbe(_root.Path).Points());

        Assert.Equal(
            "tcp_none=0i tcp_established=1i tcp_syn_sent=0i tcp_syn_recv=0i tcp_fin_wait1=0i tcp_fin_wait2=0i tcp_time_wait=1i tcp_close=0i tcp_close_wait=1000i tcp_last_ack=0i tcp_listen=2i tcp_closing=0i udp_socket=1i",
            point.Text());
    }

    [Fact]
    public void Net_LeavesOutLoopbackAndWhatIsDown()
    {
        _root.Write("net/dev",
            "Inter-|   Receive                                                |  Transmit\n"
            + " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
            + "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
            + "  eth0:1000 20 3 4 9 9 9 9 5000 60 7 8 9 9 9 9\n"
            + "  eth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
            + "  tun0: 2 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
        _root.Write("class/net/lo/flags", "0x9\n");
        _root.Write("class/net/eth0/flags", "0x1003\n");
        _root.Write("class/net/eth0/speed", "1000\n");
        _root.Write("class/net/eth1/flags", "0x1002\n");
        _root.Write("class/net/tun0/flags", "0x10d1\n");
        _root.Write("class/net/tun0/speed", "4294967295\n");

        var points = new NetProbe(_root.Path, _root.Path).Points();

        Assert.Equal(
            [
                "eth0: bytes_sent=5000i bytes_recv=1000i packets_sent=60i packets_recv=20i err_in=3i err_out=7i drop_in=4i drop_out=8i speed=1000i",
                "tun0: bytes_sent=1i bytes_recv=2i packets_sent=1i packets_recv=1i err_in=0i err_out=0i drop_in=0i drop_out=0i speed=-1i",
            ],
            points.Select(point => $"{point.Tag("interface")}: {point.Text()}"));
    }

    [Fact]
    public void System_HasThreePoints()
    {
        _root.Write("loadavg", "0.50 1.25 2.00 1/234 5678\n");
        _root.Write("uptime", "1249668.95 2000000.00\n");
        _root.Write("stat", "cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu2 1 2 3 4\ncpu3 1 2 3 4\nintr 1\n");
        foreach (var cpu in Enumerable.Range(0, 4))
            _root.Write($"devices/system/cpu/cpu{cpu}/topology/core_cpus_list", cpu < 2 ? "0-1\n" : "2-3\n");
        File.WriteAllBytes(_root["utmp"], [.. Login(7, "ada"), .. Login(7, "ada"), .. Login(8, "gone"), .. Login(7, "bob"), .. Login(2, "reboot")]);

        var points = new SystemProbe(_root.Path, _root.Path, _root["utmp"]).Points();

        Assert.Equal(
            ["load1=0.5 load5=1.25 load15=2 n_users=3i n_unique_users=2i n_cpus=4i n_physical_cpus=2i", "uptime=1249668i", "uptime_format=14 days, 11:07"],
            points.Select(Probes.Text));
    }

    [Theory]
    [InlineData(59, " 0:00")]
    [InlineData(3 * 3600 + 4 * 60, " 3:04")]
    [InlineData(86_400, "1 day,  0:00")]
    [InlineData(14 * 86_400 + 11 * 3600 + 7 * 60 + 48, "14 days, 11:07")]
    public void UptimeText_IsTelegrafs(long seconds, string expected) => Assert.Equal(expected, SystemProbe.UptimeText(seconds));

    private void Process(int pid, string name, char state, int threads) => _root.Write(
        $"{pid}/stat", $"{pid} ({name}) {state} 1 {pid} {pid} 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 {threads} 0 100 1000 50 18446744073709551615\n");

    /// <summary>A record of utmp(5).</summary>
    private static byte[] Login(short type, string user)
    {
        var record = new byte[System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? 400 : 384];
        BitConverter.TryWriteBytes(record, type);
        System.Text.Encoding.ASCII.GetBytes(user, record.AsSpan(44));
        return record;
    }
}
