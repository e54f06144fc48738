using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>
/// An agent that may not use fanotify watches directory by directory. Scans of everything are ten minutes apart in these tests, but
/// where a limit makes them frequent.
/// </summary>
public sealed class DirectoryWatchTests : IAsyncDisposable
{
    private static readonly string Mutate = Path.Combine(Programs.Repository, "tests/Telemetry.Agent.Tests/Scan/mutate.pl");

    private readonly Installation _installation = new() { AgentVia = ["/usr/bin/setpriv", "--bounding-set", "-sys_admin"] };

    private readonly Installation _limited = new()
    {
        AgentVia = ["/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c", "echo 40 > /proc/sys/user/max_inotify_watches; exec \"$@\"", "sh"],
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Watched => _installation.Watched;

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _limited.DisposeAsync();
    }

    [Theory]
    [InlineData("mkdir -p a/b/c; echo 1 > a/b/c/f", "mv a z; echo 2 > z/b/c/f; mv z/b/c z/e; echo 3 > z/e/g", "removed /a", "removed /a/b", "removed /a/b/c", "removed /a/b/c/f", "added /z", "added /z/b", "added /z/e", "added /z/e/f", "added /z/e/g")]
    [InlineData("mkdir a z; echo 1 > a/f", "mv a t; mv z a; mv t z; echo 2 > z/f; echo 3 > a/g", "removed /a/f", "added /z/f", "added /a/g")]
    [InlineData("mkdir -p a/b; echo 1 > a/b/f", "mv a ../outside; mkdir -p a/b; echo 2 > a/b/f; echo 3 > ../outside/b/f", "changed /a/b/f")]
    [InlineData("true", "mkdir -p a/b/c/d/e; echo 1 > a/b/c/d/e/f", "added /a", "added /a/b", "added /a/b/c", "added /a/b/c/d", "added /a/b/c/d/e", "added /a/b/c/d/e/f")]
    [InlineData("echo 1 > f", "echo 2 > .f.swp; mv .f.swp f", "changed /f")]
    [InlineData("echo 1 > f", "sed -i s/1/2/ f", "changed /f")]
    [InlineData("echo 1 > f", "truncate -s 0 f", "changed /f")]
    [InlineData("mkdir d; echo 1 > d/f; ln d/f l", "echo 2 > l", "changed /l", "changed /d/f")]
    [InlineData("echo 1 > f", "rm f; mkdir f; echo 2 > f/g", "changed /f", "added /f/g")]
    [InlineData("mkdir f; echo 2 > f/g", "rm -r f; echo 1 > f", "changed /f", "removed /f/g")]
    [InlineData("mkdir d", "chmod 700 d; chown 1:1 d", "changed /d")]
    public async Task Change_OfAnySort_IsSeenAtOnce(string before, string change, params string[] expected)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "setpriv needs root");
        Shell.Run(Watched, before);
        await StartCertified(_installation);

        Shell.Run(Watched, change);

        await _installation.Open(expected);
        Assert.Equal("inotify", await Method(_installation));
    }

    [Fact]
    public async Task WriteThroughADescriptorThatStaysOpen_IsSeenAtOnce()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "setpriv needs root");
        await File.WriteAllTextAsync(Watched + "/f", "1", Cancellation);
        await StartCertified(_installation);

        await using var file = new FileStream(Watched + "/f", FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.WriteByte((byte)'2');
        await file.FlushAsync(Cancellation);

        await _installation.Open("changed /f");
    }

    [Fact]
    public async Task IncludedFolderThatComesLater_IsWatchedFromThenOn()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "setpriv needs root");
        Directory.CreateDirectory(Watched + "/there");
        await _installation.StartCollector();
        await _installation.StartAgentOn(Watched, "/there\", \"/later/below");
        await _installation.Certify();

        Shell.Run(Watched, "mkdir -p later/below/d");
        await _installation.Open("added /later/below", "added /later/below/d");
        await File.WriteAllTextAsync(Watched + "/later/below/d/f", "1", Cancellation);

        await _installation.Open("added /later/below", "added /later/below/d", "added /later/below/d/f");
    }

    [Fact]
    public async Task QueueThatRanOver_EndsInTheStateOfAFreshScanAndIsTold()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "setpriv needs root");
        Shell.Run(Watched, "mkdir a b; seq 20000 | sed s,^,a/, | xargs touch");
        await StartCertified(_installation);

        await _installation.Agent.Signal("STOP");
        Shell.Run(Watched, "mv a c; mkdir d; seq 20000 | sed s,^,b/, | xargs touch; mv b d/e; seq 20000 | sed s,^,d/e/, | xargs chmod 600");
        await _installation.Agent.Signal("CONT");

        await Eventually.Get(
            async () => await HeadRoot() == FreshRoot() ? "yes" : null, "the head of a fresh scan", Cancellation, () => _installation.Agent.Log);
        var status = default(JsonElement);
        await Eventually.True(
            async () => (status = await Status(_installation)).GetProperty("losses").GetProperty("count").GetInt64() >= 1
                && status.GetProperty("watch").GetProperty("overflows").GetInt64() >= 1,
            "the loss to be told", Cancellation, () => status.ToString());
        File.WriteAllText(Watched + "/d/e/new", "");
        await Eventually.Get(
            async () => await HeadRoot() == FreshRoot() ? "yes" : null, "a change after it", Cancellation, () => _installation.Agent.Log);
    }

    [Fact]
    public async Task Limit_LeavesTheRestToScansAndIsTold()
    {
        Assert.SkipUnless(Shell.TryRun("/", "/usr/bin/unshare", "--user", "--map-root-user", "true").ExitCode == 0, "user namespaces are needed");
        Shell.Run(_limited.Watched, "seq 200 | xargs mkdir");
        await StartCertified(_limited);
        Assert.Equal("inotify_and_scans", await Method(_limited));

        Shell.Run(_limited.Watched, "for d in *; do echo 1 > $d/f; done");

        await _limited.Open([.. Enumerable.Range(1, 200).Select(number => $"added /{number}/f")]);
        Shell.Run(_limited.Watched, "rm -r ??? ??");
        await Eventually.Get(async () => await Method(_limited) == "inotify" ? "yes" : null, "all to be watched again", Cancellation, () => _limited.Agent.Log);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Storm_EndsInTheStateOfAFreshScan(int seed)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "setpriv needs root");
        for (var writer = 0; writer < 4; writer++)
            Shell.Run(Watched, $"mkdir w{writer}; perl '{Mutate}' {seed + writer} 300 w{writer}");
        await StartCertified(_installation);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(
            () =>
            {
                for (var round = 1; round <= 20; round++)
                    Shell.Run(Watched, $"perl '{Mutate}' {(seed * 1000) + (writer * 100) + round} 20 w{writer}; sleep 0.2");
            },
            Cancellation)));

        var fresh = FreshRoot();
        await Eventually.Get(
            async () => await HeadRoot() == fresh ? "yes" : null, "the head of a fresh scan", Cancellation, () => _installation.Agent.Log);
        Assert.Equal("inotify", await Method(_installation));
    }

    private static async Task StartCertified(Installation installation)
    {
        await installation.StartCollector();
        await installation.StartAgentOn(installation.Watched, "/");
        await installation.Certify();
    }

    private static async Task<string> Method(Installation installation) =>
        Assert.Single((await Status(installation)).GetProperty("coverage").GetProperty("watched").EnumerateArray().ToList()).GetProperty("method").GetString()!;

    private static async Task<JsonElement> Status(Installation installation)
    {
        var finished = await Eventually.Get(
            async () => await Finished.Run(Programs.Agent, "status", "--config", installation["agent.toml"]) is { ExitCode: 0 } answered ? answered : null,
            "the agent to answer", Cancellation, () => installation.Agent.Log);
        return JsonDocument.Parse(finished.Output).RootElement;
    }

    private async Task<string> HeadRoot() =>
        (await _installation.Succeed("instances", "list"))[0].GetProperty("head").GetProperty("roots").GetProperty("file").GetString()!;

    /// <summary>The root of the files as a scan finds them that knows nothing.</summary>
    private string FreshRoot()
    {
        var scan = Shell.Run("/", $"'{Programs.Agent}' scan --root '{Watched}' --out '{_installation["fresh.manifest"]}' --no-packages --no-settings --no-system 2>&1");
        return scan.Split(' ', '\n', '=', ',', ':').First(word => word.Length == 64);
    }
}
