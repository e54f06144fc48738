using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Health;
using Telemetry.Agent.Linux;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

public sealed class DiskProbeTests : IDisposable
{
    private readonly TemporaryDirectory _proc = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void Disk_OfRecordedMounts_FollowsTelegrafsFormulas()
    {
        Mounts(
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
            "23 22 0:5 / /proc rw - proc proc rw",
            "24 22 0:6 / /run rw - tmpfs tmpfs rw,size=1k",
            "25 22 254:1 / /mnt/a\\040b rw - xfs /dev/mapper/data ro,errors=x",
            "26 22 254:0 /srv /export rw - ext4 /dev/vda1 rw",     // a directory, once more
            "27 22 254:2 / /over rw - ext4 /dev/vdb rw",
            "28 27 254:3 / /over ro - vfat /dev/vdc rw");          // which hides the one before

        var points = new DiskProbe(_proc.Path, "/image", Space).Points();

        // Of 1000 blocks 300 are free, 200 of them for everybody: 700 of 900 are used.
        Assert.Equal(
            [
                "/ vda1 ext4 rw: total=1000i free=200i used=700i inodes_total=100i inodes_free=25i inodes_used=75i used_percent=77.778 inodes_used_percent=75",
                "/mnt/a b mapper/data xfs ro: total=1000i free=200i used=700i inodes_total=100i inodes_free=25i inodes_used=75i used_percent=77.778 inodes_used_percent=75",
                "/over vdc vfat ro: total=1000i free=200i used=700i inodes_total=100i inodes_free=25i inodes_used=75i used_percent=77.778 inodes_used_percent=75",
            ],
            points.Select(point => $"{point.Tag("path")} {point.Tag("device")} {point.Tag("fstype")} {point.Tag("mode")}: {point.Text()}"));

        static int Space(ReadOnlySpan<byte> path, out FilesystemSpace space)
        {
            Assert.StartsWith("/image/", Encoding.UTF8.GetString(path));
            space = new FilesystemSpace(1000, 300, 200, 100, 25);
            return 0;
        }
    }

    [Fact]
    public void Disk_WhoseServerIsAway_KeepsNoneOfTheOthers()
    {
        using var away = new ManualResetEventSlim();
        var asked = 0;
        Mounts("22 1 254:0 / / rw - ext4 /dev/vda1 rw", "23 22 0:50 / /nfs rw - nfs4 server:/x rw", "24 22 0:51 / /cifs rw - cifs //server/y rw");
        var probe = new DiskProbe(_proc.Path, "/", Space);

        var first = probe.Look();
        var second = probe.Look();
        away.Set();
        Assert.True(SpinWait.SpinUntil(() => probe.Look().Points.Count == 3, TimeSpan.FromSeconds(30)));

        Assert.Equal(["/", "/cifs"], first.Points.Select(point => point.Tag("path")));
        Assert.Equal(["/nfs does not answer"], first.Reasons);
        Assert.Equal(["/", "/cifs"], second.Points.Select(point => point.Tag("path")));

        // Not again while it hung.
        Assert.Equal(1, asked);

        int Space(ReadOnlySpan<byte> path, out FilesystemSpace space)
        {
            space = new FilesystemSpace(1, 1, 1, 1, 1);
            if (path.StartsWith("/nfs"u8) && Interlocked.Increment(ref asked) == 1)
                away.Wait();
            return 0;
        }
    }

    [Fact]
    public void Disk_BelowOneThatDoesNotAnswer_IsNotAskedUntilThatDoes()
    {
        using var away = new ManualResetEventSlim();
        var asked = new ConcurrentQueue<string>();
        Mounts(
            "22 1 254:0 / / rw - ext4 /dev/vda1 rw",
            "23 22 0:50 / /nfs rw - nfs4 server:/x rw",
            "24 23 254:1 / /nfs/local rw - ext4 /dev/vdb1 rw",
            "25 24 0:51 / /nfs/local/deep rw - nfs4 server:/y rw",
            "26 22 254:2 / /nfs2 rw - ext4 /dev/vdc1 rw");
        var probe = new DiskProbe(_proc.Path, "/", Space);

        var first = probe.Look();
        var askedWhileAway = asked.ToHashSet();
        away.Set();
        Assert.True(SpinWait.SpinUntil(() => probe.Look().Points.Count == 5, TimeSpan.FromSeconds(30)));

        Assert.Equal(["/", "/nfs2"], first.Points.Select(point => point.Tag("path")));
        Assert.Equal(["/nfs does not answer", "/nfs/local does not answer", "/nfs/local/deep does not answer"], first.Reasons);
        Assert.True(askedWhileAway.SetEquals(["/", "/nfs", "/nfs2"]), string.Join(' ', askedWhileAway));

        int Space(ReadOnlySpan<byte> path, out FilesystemSpace space)
        {
            var name = Encoding.UTF8.GetString(path).TrimEnd('\0');
            asked.Enqueue(name);
            space = new FilesystemSpace(1, 1, 1, 1, 1);
            if (name.StartsWith("/nfs", StringComparison.Ordinal) && name != "/nfs2")
                away.Wait();
            return 0;
        }
    }

    [Fact]
    public void Disk_ThatIsMountedNoMore_IsForgottenThoughItHung()
    {
        using var away = new ManualResetEventSlim();
        var space = new PatientSpace(Space, TimeSpan.FromMilliseconds(1));
        space.Of([Remote("/nfs")]);

        space.Of([]);
        var whileItHangs = (space.Hanging, space.Kept);
        away.Set();

        Assert.Equal((1, 1), whileItHangs);
        Assert.True(SpinWait.SpinUntil(() => space.Of([]) is [] && space.Kept == 0, TimeSpan.FromSeconds(30)));

        int Space(ReadOnlySpan<byte> path, out FilesystemSpace found)
        {
            found = default;
            away.Wait();
            return 0;
        }
    }

    [Fact]
    public void Disks_ThatComeAndGoWhileTheyHang_CostNoMoreThreadsThanSome()
    {
        using var away = new ManualResetEventSlim();
        var space = new PatientSpace(Space, TimeSpan.Zero);

        for (var i = 0; i < 100; i++)
            space.Of([Remote($"/nfs{i}")]);
        var hanging = space.Hanging;
        away.Set();

        Assert.Equal(64, hanging);
        Assert.True(SpinWait.SpinUntil(() => space.Of([Remote("/nfs")]) is [(_, 0, _)], TimeSpan.FromSeconds(30)));

        int Space(ReadOnlySpan<byte> path, out FilesystemSpace found)
        {
            found = default;
            away.Wait();
            return 0;
        }
    }

    [Fact]
    public void Disk_ThatCannotBeAsked_IsSkippedWithItsReason()
    {
        Mounts("22 1 254:0 / / rw - ext4 /dev/vda1 rw");

        var reading = new DiskProbe(_proc.Path, "/", (ReadOnlySpan<byte> _, out FilesystemSpace space) =>
        {
            space = default;
            return Errno.InputOutput;
        }).Look();

        Assert.Empty(reading.Points);
        Assert.Equal(["/ can't be asked: input/output error"], reading.Reasons);
    }

    [Fact]
    public void DiskIo_FromTheSecondLookOn_SaysHowBusyItWas()
    {
        var probe = new DiskIoProbe(_proc.Path, _clock);
        Stats("254 0 vda 100 10 2000 500 200 20 4000 1500 0 900 2000 0 0 0 0 9 9", "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0");

        var first = probe.Points();
        _clock.Advance(TimeSpan.FromSeconds(10));
        Stats("254 0 vda 110 10 2080 540 230 20 4100 1660 1 1400 2200 0 0 0 0 9 9", "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
        var second = probe.Points();
        _clock.Advance(TimeSpan.FromSeconds(10));
        var idle = probe.Points();

        Assert.Equal(
            "reads=100i writes=200i read_bytes=1024000i write_bytes=2048000i read_time=500i write_time=1500i io_time=900i weighted_io_time=2000i iops_in_progress=0i merged_reads=10i merged_writes=20i",
            Assert.Single(first).Text());

        // 10 reads and 30 writes took 40 + 160 ms; the disk was busy for 500 of 10,000 ms.
        Assert.EndsWith(" io_await=5 io_svctm=12.5 io_util=5", Assert.Single(second).Text());
        Assert.EndsWith("merged_writes=20i io_util=0", Assert.Single(idle).Text());
        Assert.Equal("vda", idle[0].Tag("name"));
    }

    [Fact]
    public void DiskIo_ThatRunsBackwards_IsToldWithoutHowBusyItWas()
    {
        var probe = new DiskIoProbe(_proc.Path, _clock);
        Stats("254 0 vda 100 10 2000 500 200 20 4000 1500 0 900 2000", "254 16 vdb 1 0 8 1 1 0 8 1 0 1 1");
        probe.Look();
        _clock.Advance(TimeSpan.FromSeconds(10));
        Stats("254 0 vda 5 0 40 5 5 0 40 5 0 5 5", "254 16 vdb 2 0 16 2 2 0 16 2 0 2 2");

        var reading = probe.Look();

        Assert.Equal(2, reading.Points.Count);
        Assert.DoesNotContain(reading.Points[0].Fields, field => field.Name.StartsWith("io_util", StringComparison.Ordinal));
        Assert.Contains(reading.Points[1].Fields, field => field.Name == "io_util");
        Assert.StartsWith("vda has counters that ran backwards", Assert.Single(reading.Reasons));
    }

    [Fact]
    public void DiskIo_ThatWasAwayForAWhile_BeginsAnew()
    {
        var probe = new DiskIoProbe(_proc.Path, _clock);
        Stats("254 0 vda 100 10 2000 500 200 20 4000 1500 0 900 2000");
        probe.Look();
        Stats("254 16 vdb 1 0 8 1 1 0 8 1 0 1 1");
        probe.Look();
        Stats("254 0 vda 200 10 2000 500 200 20 4000 1500 0 900 2000");

        Assert.DoesNotContain(Assert.Single(probe.Points()).Fields, field => field.Name == "io_util");
    }

    private static MountedDisk Remote(string point) => new([.. Encoding.UTF8.GetBytes(point), 0], point, []) { MayHang = true };

    private void Mounts(params string[] lines) => _proc.Write("1/mountinfo", string.Join('\n', lines) + "\n");

    private void Stats(params string[] lines) => _proc.Write("diskstats", string.Concat(lines.Select(line => $" {line}\n")));
}
