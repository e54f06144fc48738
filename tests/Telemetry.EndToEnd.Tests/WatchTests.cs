using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Changes are seen at once, and bursts lose nothing: scans of everything are ten minutes apart in these tests.</summary>
public sealed class WatchTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

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
        Shell.Run("/", $"taskset -acp 0 {_installation.Agent.ProcessId}");

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
            () => _installation.Agent.Log);
        Assert.Equal(FreshRoot(), await HeadRoot());
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
    public async Task Change_OfAnySort_IsSeenAtOnce(string before, string change, params string[] expected)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(Watched, before.Length == 0 ? "true" : before);
        await StartCertified();

        Shell.Run(Watched, change);

        await _installation.Open(expected);
        Assert.Equal(FreshRoot(), await HeadRoot());
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
