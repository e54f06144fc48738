using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Changes are seen at once, and bursts lose nothing: scans of everything are ten minutes apart in these tests.</summary>
public sealed class WatchTests : IAsyncDisposable
{
    private const int Writers = 8;

    private static readonly string Mutate = Path.Combine(Programs.Repository, "tests/Telemetry.Agent.Tests/Scan/mutate.pl");

    private readonly Installation _installation = new(agentSettings: "[log]\nlevel = \"debug\"");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    /// <param name="before">What is there when the state is certified.</param>
    /// <param name="burst">As fast as it goes, on the processor that the agent has.</param>
    /// <param name="deviations">What that makes.</param>
    /// <param name="isStopped">Whether the agent stands still for five seconds in the middle.</param>
    [Theory]
    [InlineData("mkdir d; cd d; seq 50000 | xargs touch", "rm -rf d", 50_001, false)]
    [InlineData("mkdir d; cd d; seq 50000 | xargs touch", "rm -rf d", 50_001, true)]
    [InlineData("mkdir d", "cd d; seq 50000 | xargs touch", 50_000, false)]
    [InlineData("mkdir d", "cd d; seq 50000 | xargs touch", 50_000, true)]
    [InlineData("mkdir d; cd d; seq 20000 | xargs touch", "perl -e 'chdir \"d\"; rename($_, \"r$_\") or die for 1 .. 20000'", 40_000, false)]
    [InlineData("mkdir d; cd d; seq 20000 | xargs touch", "perl -e 'chdir \"d\"; rename($_, \"r$_\") or die for 1 .. 20000'", 40_000, true)]
    public async Task Burst_OnTheAgentsOwnProcessor_IsSeenWhole(string before, string burst, int deviations, bool isStopped)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(Watched, before);
        await StartCertified();

        // A thread that ends meanwhile makes it fail.
        await Eventually.True(
            () => Shell.TryRun("/", "taskset", "-acp", "0", $"{_installation.Agent.ProcessId}").ExitCode == 0, "all threads to be bound", Cancellation);

        if (isStopped)
            await _installation.Agent.Signal("STOP");
        Shell.Run(Watched, $"taskset -c 0 sh -c '{burst.Replace("'", "'\\''", StringComparison.Ordinal)}'");
        if (isStopped)
        {
            await Task.Delay(TimeSpan.FromSeconds(5), Cancellation);
            await _installation.Agent.Signal("CONT");
        }

        await Eventually.Get(
            async () => (await Instance()).GetProperty("open_deviations").GetInt32() == deviations ? "yes" : null,
            $"{deviations} deviations",
            Cancellation,
            () => _installation.Agent.Log,
            pause: TimeSpan.FromSeconds(1));
        await EndsAsAFreshScan();
    }

    [Theory]
    [InlineData("mkdir -p a/b/c; echo 1 > a/b/c/f", "mv a z; mv z/b/c z/e", "removed /a", "removed /a/b", "removed /a/b/c", "removed /a/b/c/f", "added /z", "added /z/b", "added /z/e", "added /z/e/f")]
    [InlineData("echo 1 > f", "echo 2 > .f.swp; mv .f.swp f", "changed /f")]
    [InlineData("echo 1 > f", "sed -i s/1/2/ f", "changed /f")]
    [InlineData("echo 1 > f", "truncate -s 0 f", "changed /f")]
    [InlineData("mkdir d; echo 1 > d/f; ln d/f l", "echo 2 > l", "changed /l", "changed /d/f")]
    [InlineData("echo 1 > f", "rm f; mkdir f; echo 2 > f/g", "changed /f", "added /f/g")]
    [InlineData("mkdir f; echo 2 > f/g", "rm -r f; echo 1 > f", "changed /f", "removed /f/g")]
    [InlineData("mkdir d", "chmod 700 d; chown 1:1 d", "changed /d")]
    [InlineData("", "mkfifo p; ln -s x l; mknod n c 1 3", "added /p", "added /l", "added /n")]
    [InlineData("echo 1 > f", "perl -e 'open(F, \">>\", \"f\"); print F \"x\"; close F; utime(1, 1, \"f\")'", "changed /f")]
    [InlineData("mkdir s d; echo 1 | tee s/f d/f; echo 2 > d/old; echo 22 > s/f", "rsync -a --delete s/ d/", "changed /d/f", "removed /d/old")]
    [InlineData("mkdir s; echo 1 | tee s/f s/g; tar cf t s; echo 2 > s/f; rm s/g", "tar xf t", "changed /s/f", "added /s/g")]
    [InlineData("echo 1 > f", "vim.tiny -es -c '%s/1/2/' -c wq f", "changed /f")]
    [InlineData(
        "echo 1 > log; echo \"$PWD/log { size 1\nrotate 1\ncompress\nsu root root\ncreate\n}\" > conf; chmod 644 conf",
        "logrotate -s state conf", "changed /log", "added /log.1.gz", "added /state")]
    [InlineData(
        "git init -q -b main; git config user.name x; git config user.email x@x; echo 1 | tee f g; git add .; git commit -qm 1; git checkout -qb other; git rm -q g; echo 2 | tee f h; git add .; git commit -qm 2; git checkout -q main",
        "git checkout -q other", "changed /f", "removed /g", "added /h", "changed /.git/HEAD", "changed /.git/index", "changed /.git/logs/HEAD")]
    public async Task Change_OfAnySort_IsSeenAtOnce(string before, string change, params string[] expected)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(Watched, before.Length == 0 ? "true" : before);
        await StartCertified();

        Shell.Run(Watched, change);

        await _installation.Open(expected);
        await EndsAsAFreshScan();
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    [InlineData(3, 20)]
    public Task Storm_WithAStoppedAndAKilledAgent_EndsInTheStateOfAFreshScan(int seed, int seconds) => Storm(seed, seconds);

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(LongStorms))]
    public Task Storm_Long_EndsInTheStateOfAFreshScan(int seed) => Storm(seed, 60);

    public static TheoryData<int> LongStorms => [.. Enumerable.Range(100, 20)];

    /// <summary>In a critical directory of the policy, for files that stay open and for truncate(2); no other event tells of these.</summary>
    [Fact]
    public async Task Write_ToAFileThatStaysOpen_IsSeenAtOnceInACriticalDirectory()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(Watched, "mkdir -p etc/sub; echo 1 > etc/sub/open; echo 1 > etc/cut");
        await StartCertified();

        using var open = new FileStream(Path.Combine(Watched, "etc/sub/open"), FileMode.Open, FileAccess.Write);
        open.Write("22"u8);
        open.Flush();
        Shell.Run(Watched, "perl -e 'truncate(\"etc/cut\", 0)'");

        await _installation.Open("changed /etc/sub/open", "changed /etc/cut");
    }

    [Fact]
    public async Task Filesystem_ThatIsWatched_CanBeUnmounted()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        Shell.Run(Watched, "mkdir m; mount -t tmpfs -o mode=755 tmpfs m; echo 1 > m/f");
        try
        {
            await _installation.StartCollector();
            await _installation.StartAgentOn("/", $"{Watched}\", \"{Watched}/m");
            await _installation.Certify();
            Shell.Run(Watched, "echo 2 > m/f");
            await _installation.Open($"changed {Watched}/m/f");
        }
        finally
        {
            // The agent has it open for moments only.
            await Eventually.True(
                () => Shell.TryRun(Watched, "umount", "m").ExitCode == 0, "the filesystem to be unmounted", CancellationToken.None, () => _installation.Agent.Log);
        }

        await _installation.Open($"removed {Watched}/m/f");
    }

    /// <summary>Eight writers, each in a folder of its own, while the agent is stopped, killed and started again.</summary>
    private async Task Storm(int seed, int seconds)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        var random = new Random(seed);
        for (var writer = 0; writer < Writers; writer++)
            Shell.Run(Watched, $"mkdir w{writer}; perl '{Mutate}' {seed + writer} 300 w{writer}");
        await StartCertified();

        var end = TimeProvider.System.GetTimestamp() + (seconds * TimeProvider.System.TimestampFrequency);
        var writing = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => Write(seed, writer, end), Cancellation)).ToList();
        while (TimeProvider.System.GetTimestamp() < end)
        {
            await Task.Delay(random.Next(3000), Cancellation);
            if (random.Next(4) == 0)
            {
                await _installation.Agent.Kill();
                await _installation.StartAgentOn(Watched, "/");
                continue;
            }

            await _installation.Agent.Signal("STOP");
            await Task.Delay(random.Next(1500), Cancellation);
            await _installation.Agent.Signal("CONT");
        }

        await Task.WhenAll(writing);
        await EndsAsAFreshScan();
        var open = (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray();
        Assert.Equal(
            (await Difference()).Order(StringComparer.Ordinal),
            open.Select(deviation => $"{deviation.GetProperty("change").GetString()} {deviation.GetProperty("key").GetString()}").Order(StringComparer.Ordinal));
    }

    private async Task EndsAsAFreshScan()
    {
        var fresh = FreshRoot();
        await Eventually.Get(async () => await HeadRoot() == fresh ? "yes" : null, "the head of a fresh scan", Cancellation, OtherThanFresh);
    }

    private string OtherThanFresh()
    {
        var id = Instance().GetAwaiter().GetResult().GetProperty("id").GetString()!;
        _installation.Ctl("baselines", "import", "fresh:1", _installation["fresh.manifest"]).GetAwaiter().GetResult();
        return _installation.Ctl("diff", "fresh:1", id).GetAwaiter().GetResult().Output + _installation.Agent.Log;
    }

    private void Write(int seed, int writer, long end)
    {
        for (var round = 1; TimeProvider.System.GetTimestamp() < end; round++)
            Shell.Run(Watched, $"perl '{Mutate}' {(seed * 1000) + (writer * 100) + round} 20 w{writer}; sleep 0.2");
    }

    /// <summary>What differs between the baseline and the state now, compared without what was remembered.</summary>
    private async Task<IEnumerable<string>> Difference()
    {
        var finished = await _installation.Ctl("diff", "shop:1", (await Instance()).GetProperty("id").GetString()!);
        return JsonDocument.Parse(finished.Output).RootElement.EnumerateArray()
            .Select(difference => $"{difference.GetProperty("change").GetString()} {difference.GetProperty("key").GetString()}");
    }

    private async Task StartCertified()
    {
        await _installation.StartCollector();
        await _installation.StartAgentOn(Watched, "/");
        await _installation.Certify();
    }

    private async Task<JsonElement> Instance() => (await _installation.Succeed("instances", "list"))[0];

    private async Task<string> HeadRoot() =>
        (await Instance()).GetProperty("head").GetProperty("roots").GetProperty("file").GetString()!;

    /// <summary>The root of the files as a scan finds them that knows nothing.</summary>
    private string FreshRoot()
    {
        var scan = Shell.Run("/", $"'{Programs.Agent}' scan --root '{Watched}' --out '{_installation["fresh.manifest"]}' --no-packages --no-settings --no-system 2>&1");
        return scan.Split(' ', '\n', '=', ',', ':').First(word => word.Length == 64);
    }
}
