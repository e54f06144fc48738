using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

/// <summary>A recorded machine: tables of sockets, and processes that have them open.</summary>
public sealed class SocketScannerTests : IDisposable
{
    private const string Heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    private const string UnixHeading = "Num       RefCount Protocol Flags    Type St Inode Path\n";

    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly SocketScanner _scanner;

    public SocketScannerTests()
    {
        _folder.Write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\nbroken\n");
        _folder.Write("proc/net/tcp", Heading);
        _scanner = new SocketScanner(_folder["root"], _folder["proc"], _clock);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tcp_ThatListens_IsNamedWithItsProgramAndUser()
    {
        // 0100007F:0016 is 127.0.0.1:22, 0A listens, 01 is a connection: behind it nothing is read.
        Tcp(Line("0100007F:0016", "0A", 100), Line("00000000:0050", "0A", 101), Line("0100007F:0016", "01", 102), "whatever");
        Process(10, "/usr/sbin/sshd", user: 0, 100);
        Process(20, "/usr/sbin/apache2", user: 33, 101);

        Assert.Equal(["socket/tcp/0.0.0.0/80 /usr/sbin/apache2 www-data", "socket/tcp/127.0.0.1/22 /usr/sbin/sshd root"], Scan().Entries);
    }

    [Fact]
    public void Tcp6_IsNamedByItsAddress()
    {
        _folder.Write("proc/net/tcp6", Heading
            + Line("00000000000000000000000000000000:01BB", "0A", 100)
            + Line("00000000000000000000000001000000:0050", "0A", 101)
            + Line("0000000000000000FFFF00000100007F:1F90", "0A", 102));
        Process(10, "/bin/a", user: 0, 100, 101, 102);

        Assert.Equal(
            ["socket/tcp/::/443 /bin/a root", "socket/tcp/::1/80 /bin/a root", "socket/tcp/::ffff:127.0.0.1/8080 /bin/a root"],
            Scan().Entries);
    }

    [Fact]
    public void Udp_OfAClient_IsNoFact()
    {
        // 07 is not connected, 01 is; 0x8000 = 32768 begins what the kernel hands out, 0xEE47 = 60999 ends it, 0x007B = 123.
        _folder.Write("proc/net/udp", Heading
            + Line("00000000:007B", "07", 100) + Line("0100007F:0035", "01", 101, remote: "0100007F:1234")
            + Line("00000000:8000", "07", 102) + Line("00000000:EE47", "07", 103) + Line("00000000:EE48", "07", 104));
        Process(10, "/usr/sbin/chronyd", user: 7, 100, 101, 102, 103, 104);

        Assert.Equal(["socket/udp/0.0.0.0/123 /usr/sbin/chronyd 7", "socket/udp/0.0.0.0/61000 /usr/sbin/chronyd 7"], Scan().Entries);

        _folder.Write("proc/sys/net/ipv4/ip_local_port_range", "61000\t65535\n");
        Assert.Contains("socket/udp/0.0.0.0/32768 /usr/sbin/chronyd 7", Scan().Entries);
        Assert.DoesNotContain("socket/udp/0.0.0.0/61000 /usr/sbin/chronyd 7", Scan().Entries);
    }

    [Fact]
    public void Unix_ThatListensAtAPath_IsAFactUnlessItIsASessions()
    {
        string[] paths =
        [
            "/run/dbus/system_bus_socket", "/run/a b", "@abstract", "@/looks/like/a/path", "relative", "", "/tmp/x", "/run/user/1000/bus",
            "/home/a/.s", "/run/docker/x.sock", "/run/docker.sock",
        ];
        _folder.Write("proc/net/unix", UnixHeading
            + string.Concat(paths.Select((path, i) => $"0000000000000000: 00000002 00000000 00010000 0001 01 {100 + i} {path}\n"))
            + "0000000000000000: 00000002 00000000 00000000 0001 01 200 /run/connected\n");
        Process(10, "/bin/a", user: 0, [.. Enumerable.Range(100, paths.Length).Append(200)]);

        Assert.Equal(
            [@"socket/unix/\x2frun\x2fa b /bin/a root", @"socket/unix/\x2frun\x2fdbus\x2fsystem_bus_socket /bin/a root", @"socket/unix/\x2frun\x2fdocker.sock /bin/a root"],
            Scan().Entries);
    }

    [Fact]
    public void Unix_WhosePathForgesALine_AddsNothingAndHidesNothing()
    {
        _folder.Write("proc/net/unix", UnixHeading
            + "0000000000000000: 00000002 00000000 00010000 0001 01 100 /run/x\n0000000000000000: 00000002 00000000 00010000 0001 01 999 /run/forged\n"
            + "\u0001garbage\n0000000000000000: 00000002 00000000 00010000 0001 01 101 /run/y\n");
        Process(10, "/bin/a", user: 0, 100, 101);

        var facts = Scan();

        Assert.Equal([@"socket/unix/\x2frun\x2fx /bin/a root", @"socket/unix/\x2frun\x2fy /bin/a root"], facts.Entries);
        Assert.Empty(facts.Gaps);
    }

    [Fact]
    public void Socket_OfManyProcesses_IsOneFactWithTheUserOfTheOldest()
    {
        // Pre-fork, SO_REUSEPORT (two sockets at one port), and another program that inherited one.
        Tcp(Line("00000000:0050", "0A", 100), Line("00000000:0050", "0A", 101));
        ProcessSince(900, 30, "/usr/sbin/nginx", user: 33, 100, 101);
        ProcessSince(500, 20, "/usr/sbin/nginx", user: 0, 100, 101);
        ProcessSince(901, 40, "/usr/sbin/nginx (deleted)", user: 33, 100);
        ProcessSince(950, 50, "/usr/bin/helper", user: 33, 101);

        Assert.Equal(["socket/tcp/0.0.0.0/80 /usr/bin/helper www-data, /usr/sbin/nginx root, /usr/sbin/nginx www-data"], Scan().Entries);
    }

    [Fact]
    public void Socket_ThatSystemdHolds_StaysTheSameWhenItsServiceStarts()
    {
        Tcp(Line("00000000:0016", "0A", 100));
        Process(1, "/usr/lib/systemd/systemd", user: 0, 100);
        var before = Scan();

        Process(10, "/usr/sbin/sshd", user: 0, 100);
        _clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(["socket/tcp/0.0.0.0/22 /usr/lib/systemd/systemd root"], before.Entries);
        Assert.Equal(before.Entries, Scan().Entries);
    }

    [Fact]
    public void Socket_ThatNobodyHolds_IsTheKernels()
    {
        Tcp(Line("00000000:0801", "0A", 100));
        Process(10, "/bin/a", user: 0);

        Assert.Equal(["socket/tcp/0.0.0.0/2049 -"], Scan().Entries);
    }

    [Fact]
    public void Socket_WhileAProcessIsHidden_IsUnreadableUnlessItsProgramIsKnown()
    {
        Tcp(Line("00000000:0016", "0A", 100), Line("00000000:0050", "0A", 101));
        Process(10, "/bin/a", user: 0, 101);

        // A loop of links: not gone, and not to be opened.
        File.CreateSymbolicLink(_folder["proc/20"], "20");

        Assert.Equal(["socket/tcp/0.0.0.0/22 unreadable", "socket/tcp/0.0.0.0/80 /bin/a root"], Scan().Entries);
    }

    [Fact]
    public void Process_ThatVanishesMeanwhile_IsNoTrouble()
    {
        Tcp(Line("00000000:0050", "0A", 101));
        Process(10, "/bin/a", user: 0, 101);
        Directory.CreateDirectory(_folder["proc/20"]);
        Process(30, "/bin/b", user: 0, 101);
        File.Delete(_folder["proc/30/exe"]);
        Process(40, "/bin/c", user: 0, 101);
        File.Delete(_folder["proc/40/stat"]);

        Assert.Equal(["socket/tcp/0.0.0.0/80 /bin/a root"], Scan().Entries);
    }

    [Fact]
    public void Holder_ThatIsReplaced_ShowsAtOnceAndOneThatJoinsAfterAMinute()
    {
        Tcp(Line("00000000:0050", "0A", 101));
        Process(10, "/bin/a", user: 0, 101);
        Scan();

        Process(20, "/bin/b", user: 0, 101);
        Assert.Equal(["socket/tcp/0.0.0.0/80 /bin/a root"], Scan().Entries);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["socket/tcp/0.0.0.0/80 /bin/a root, /bin/b root"], Scan().Entries);

        // An exec keeps process and socket.
        File.Delete(_folder["proc/10/exe"]);
        File.CreateSymbolicLink(_folder["proc/10/exe"], "/bin/evil");
        Assert.Equal(["socket/tcp/0.0.0.0/80 /bin/b root, /bin/evil root"], Scan().Entries);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("   0: 0100007F 00000000:0000 0A 0:0 00:0 0 0 0 1")]
    [InlineData("   0: ZZ00007F:0016 00000000:0000 0A 0:0 00:0 0 0 0 1")]
    [InlineData("   0: 0100007F:00160000 00000000:0000 0A 0:0 00:0 0 0 0 1")]
    [InlineData("   0: 0100007F:0016 00000000:0000 0A 0:0 00:0 0 0 0 x")]
    public void Line_ThatIsNone_IsAGapOfItsProtocol(string line)
    {
        Tcp(Line("00000000:0050", "0A", 101), line + "\n");
        _folder.Write("proc/net/udp", Heading + Line("00000000:007B", "07", 102));
        Process(10, "/bin/a", user: 0, 101, 102);

        var facts = Scan();

        Assert.Equal(EntryKey.Of("socket", "tcp"), Assert.Single(facts.Gaps).Prefix);
        Assert.Contains("socket/udp/0.0.0.0/123 /bin/a root", facts.Entries);
    }

    [Fact]
    public void Scan_WithoutTables_IsNoPartOfTheCoverage()
    {
        File.Delete(_folder["proc/net/tcp"]);

        Assert.False(Scan().IsThere);
    }

    private Facts Scan() => Facts.Of(_scanner);

    private void Tcp(params string[] lines) => _folder.Write("proc/net/tcp", Heading + string.Concat(lines));

    private static string Line(string local, string state, int inode, string? remote = null) =>
        $"   0: {local} {remote ?? "00000000:0000"} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000000000000000 100 0 0 10 0\n";

    private void Process(int id, string program, int user, params int[] inodes) => ProcessSince(id, id, program, user, inodes);

    private void ProcessSince(int started, int id, string program, int user, params int[] inodes)
    {
        _folder.Write($"proc/{id}/stat", $"{id} (a ) b (c) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {started} 0 0");
        _folder.Write($"proc/{id}/status", $"Name:\ta\nUid:\t999\t{user}\t999\t999\nGid:\t0\t0\t0\t0\n");
        File.CreateSymbolicLink(_folder[$"proc/{id}/exe"], program);
        Directory.CreateDirectory(_folder[$"proc/{id}/fd"]);
        File.CreateSymbolicLink(_folder[$"proc/{id}/fd/0"], "/dev/null");
        for (var i = 0; i < inodes.Length; i++)
            File.CreateSymbolicLink(_folder[$"proc/{id}/fd/{3 + i}"], $"socket:[{inodes[i]}]");
    }
}
