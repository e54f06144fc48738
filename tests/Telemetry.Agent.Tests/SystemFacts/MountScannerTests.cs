using Telemetry.Agent.SystemFacts;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class MountScannerTests : IDisposable
{
    private readonly TemporaryDirectory _proc = new();

    public void Dispose() => _proc.Dispose();

    [Theory]
    [InlineData("24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro", @"mount/\x2f /dev/vda1 ext4 errors=remount-ro,relatime,rw")]
    [InlineData("24 1 254:1 / /srv ro,nosuid - ext4 /dev/vda1 rw", @"mount/\x2fsrv /dev/vda1 ext4 nosuid,ro")]
    [InlineData("24 1 254:1 / /srv rw - ext4 /dev/vda1 ro", @"mount/\x2fsrv /dev/vda1 ext4 ro")]
    [InlineData("24 1 254:1 /data/x /srv rw shared:1 master:2 - ext4 /dev/vda1 rw", @"mount/\x2fsrv /dev/vda1[/data/x] ext4 rw")]
    [InlineData(@"24 1 254:1 / /a\040b\011c\012d\134e\043f rw - ext4 /dev/x\040y rw", @"mount/\x2fa b\x09c\x0ad\x5ce#f /dev/x y ext4 rw")]
    [InlineData("24 1 0:20 / /run rw,nosuid - tmpfs tmpfs rw,size=1633296k,nr_inodes=819200,mode=755", @"mount/\x2frun tmpfs tmpfs mode=755,nosuid,rw")]
    [InlineData("24 1 0:20 / /x rw - tmpfs  rw", @"mount/\x2fx  tmpfs rw")]
    [InlineData("24 1 0:20 / /n rw - nfs4 srv:/n rw,vers=4.2,clientaddr=10.0.0.9,addr=10.0.0.1", @"mount/\x2fn srv:/n nfs4 addr=10.0.0.1,rw,vers=4.2")]
    [InlineData("24 1 7:3 / /x ro - squashfs /dev/loop3 ro", @"mount/\x2fx /dev/loop squashfs ro")]
    [InlineData("24 1 0:9 / /d rw - fuse https://me:hunter2@dav/ rw,password=hunter2", @"mount/\x2fd https://me:***@dav/ fuse password=***,rw")]
    [InlineData("24 1 254:1 / /var/lib/docker rw - ext4 /dev/vdb rw", @"mount/\x2fvar\x2flib\x2fdocker /dev/vdb ext4 rw")]
    [InlineData("24 1 0:30 / /run/user/1000 rw - tmpfs tmpfs rw", "")]
    [InlineData("24 1 0:30 / /run/user/1000/doc rw - fuse.portal portal rw", "")]
    [InlineData("24 1 0:30 / /run/credentials/systemd-sysctl.service ro - ramfs ramfs rw", "")]
    [InlineData("24 1 0:30 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw", "")]
    [InlineData("24 1 0:4 net:[4026532281] /run/x rw - nsfs nsfs rw", "")]
    [InlineData("24 1 254:1 /gone//deleted /srv//deleted rw - ext4 /dev/vda1 rw", "")]
    public void Scan_OfOneMount_SaysWhatStays(string line, string expected)
    {
        var facts = Scan(line);

        Assert.Equal(expected.Split(';', StringSplitOptions.RemoveEmptyEntries), facts.Entries);
        Assert.Empty(facts.Gaps);
    }

    [Fact]
    public void Scan_OfStackedMounts_SaysTheOneThatIsSeen()
    {
        var facts = Scan("24 1 0:1 / /x rw - tmpfs lower rw\n25 24 0:2 / /x ro - tmpfs upper rw");

        Assert.Equal(@"mount/\x2fx upper tmpfs ro", Assert.Single(facts.Entries));
    }

    [Fact]
    public void Scan_OfWhatIsMountedOnDemand_IsTheSameBeforeAndAfterItsUse()
    {
        const string Unused = "24 1 0:1 / / rw - ext4 /dev/vda rw\n25 24 0:31 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=29,pgrp=1,pipe_ino=1234\n26 24 0:32 / /home rw - autofs /etc/auto.home rw,fd=7";

        var before = Scan(Unused);
        var after = Scan(Unused + "\n27 25 0:40 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw\n28 26 0:41 / /home/alice rw - nfs4 srv:/alice rw");

        Assert.Equal(@"mount/\x2f /dev/vda ext4 rw", Assert.Single(before.Entries));
        Assert.Equal(before.Entries, after.Entries);
    }

    [Fact]
    public void Scan_OfALineThatIsNone_IsAGapAndTheOthersAreThere()
    {
        var facts = Scan("garbage\n24 1 0:1 / /x rw - tmpfs t rw\n24 1 0:1 / /y rw - ");

        Assert.Equal(@"mount/\x2fx t tmpfs rw", Assert.Single(facts.Entries));
        Assert.Single(facts.Gaps);
    }

    [Fact]
    public void Scan_WithoutProcesses_IsNoPartOfTheCoverage()
    {
        Assert.False(Facts.Of(new MountScanner(_proc.Path)).IsThere);
    }

    private Facts Scan(string mountinfo)
    {
        _proc.Write("1/mountinfo", mountinfo + "\n");
        return Facts.Of(new MountScanner(_proc.Path));
    }
}
