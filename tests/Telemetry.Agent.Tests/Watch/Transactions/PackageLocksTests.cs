using System.Diagnostics;
using Telemetry.Agent.Tests.Packages;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch.Transactions;

/// <summary>A helper process takes real locks, in the order in which apt and dpkg do.</summary>
public sealed class PackageLocksTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public PackageLocksTests()
    {
        foreach (var file in (string[])["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/lib/rpm/.rpm.lock"])
            _folder.Write(file, "");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Held_WithoutFilesOrLocks_IsNothing()
    {
        using var locks = new PackageLocks(_folder.Path);
        using var none = new PackageLocks(_folder["none"]);

        Assert.Empty(locks.Held());
        Assert.Empty(none.Held());
    }

    [Fact]
    public void Held_WhileAptRuns_HasItWhetherDpkgsLockIsHeldOrNot()
    {
        using var locks = new PackageLocks(_folder.Path);
        using var apt = new Holder();
        using var dpkg = new Holder();

        apt.Lock(_folder["var/lib/dpkg/lock-frontend"]);
        Assert.Equal([new PackageLock("dpkg", apt.Id)], locks.Held());
        for (var run = 0; run < 4; run++)
        {
            dpkg.Lock(_folder["var/lib/dpkg/lock"]);
            Assert.Equal([new PackageLock("dpkg", apt.Id), new PackageLock("dpkg", dpkg.Id)], locks.Held());
            dpkg.Unlock();
            Assert.Equal([new PackageLock("dpkg", apt.Id)], locks.Held());
        }

        apt.Unlock();
        Assert.Empty(locks.Held());
    }

    [Fact]
    public void Held_WhileRpmRuns_HasItAndItsReadersNot()
    {
        using var locks = new PackageLocks(_folder.Path);
        using var rpm = new Holder();

        rpm.Lock(_folder["var/lib/rpm/.rpm.lock"], isShared: true);
        Assert.Empty(locks.Held());
        rpm.Lock(_folder["var/lib/rpm/.rpm.lock"]);
        Assert.Equal([new PackageLock("rpm", rpm.Id)], locks.Held());
    }

    [Fact]
    public async Task Held_WhileARealRpmRunsAScript_IsRpms()
    {
        using var root = new RpmRoot();
        using var locks = new PackageLocks(root.Path);
        Assert.Empty(locks.Held());

        var installation = Task.Run(
            () => root.Install("shop", fields: "%post -p <lua>\nwhile not posix.stat('/go') do posix.stat('/') end"), TestContext.Current.CancellationToken);
        var held = Assert.Single(await Eventually.Get(
            () => Task.FromResult(locks.Held() is { Count: > 0 } found ? found : null), "rpm's lock", TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync(Path.Combine(root.Path, "go"), "", TestContext.Current.CancellationToken);
        await installation;

        Assert.Equal("rpm", held.Manager);
        Assert.True(held.Pid > 0);
        Assert.Empty(locks.Held());
    }

    [Fact]
    public void Held_AskedOften_CostsLittleAndDisturbsNobody()
    {
        using var locks = new PackageLocks(_folder.Path);
        using var apt = new Holder();
        apt.Lock(_folder["var/lib/dpkg/lock"]);

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 1000; i++)
            locks.Held();

        TestContext.Current.TestOutputHelper!.WriteLine($"{watch.Elapsed.TotalMicroseconds / 1000:f1} µs a time");
        Assert.Equal(apt.Id, Assert.Single(locks.Held()).Pid);
    }

    private sealed class Holder : IDisposable
    {
        // struct flock: type and whence, start and length of 64 bits, pid.
        private const string Script = """
            use Fcntl; $| = 1; print "$$\n";
            while (<STDIN>) {
                chomp; my ($type, $file) = split / /, $_, 2;
                if ($type ne "u") { open(F, "+<", $file) or die; }
                my $flock = pack("s s x![q] q q i x![q]", $type eq "w" ? F_WRLCK : $type eq "r" ? F_RDLCK : F_UNLCK, 0, 0, 0, 0);
                fcntl(F, F_SETLK, $flock) or die $!; print "done\n";
            }
            """;

        private readonly Process _process = Process.Start(
            new ProcessStartInfo("perl", ["-e", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

        public Holder() => Id = int.Parse(_process.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);

        public int Id { get; }

        public void Lock(string file, bool isShared = false) => Do($"{(isShared ? "r" : "w")} {file}");

        public void Unlock() => Do("u");

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        private void Do(string line)
        {
            _process.StandardInput.WriteLine(line);
            Assert.Equal("done", _process.StandardOutput.ReadLine());
        }
    }
}
