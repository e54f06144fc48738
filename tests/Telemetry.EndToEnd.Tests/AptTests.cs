using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A real apt installs and upgrades in a real Debian that the agent watches: one cause each.</summary>
[Trait("Category", "Long")]
public sealed class AptTests(DebianRoot root) : IClassFixture<DebianRoot>, IAsyncDisposable
{
    private const string Edited = "/usr/share/apache2/error/HTTP_NOT_FOUND.html.var";

    private static readonly string[] NotLookedAt = ["/dev", "/proc", "/run", "/sys", "/tmp", "/var/cache", "/var/log", "/var/spool", "/var/lib/systemd/deb-systemd-helper-enabled"];

    // Of these, that more of them came is no deviation.
    private static readonly string[] Derived = ["/var/lib/apt", "/var/lib/dpkg", "/var/lib/ucf", "/usr/share/mime"];

    private readonly Installation _installation = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Apt_InstallAndUpgrade_AreOneCauseEach()
    {
        Assert.SkipUnless(DebianRoot.CanBeMade || Environment.GetEnvironmentVariable("CI") is not null, "debootstrap, and root to run it, are needed");
        await AnOldHello();
        await _installation.StartCollector();
        await _installation.StartAgentOn(root.Path, "/");
        await _installation.Certify();

        var before = Paths().ToHashSet(StringComparer.Ordinal);
        var installing = root.Install("apache2");
        await Eventually.True(() => File.Exists(root.Path + Edited), "apt to unpack apache2-data", Cancellation);
        await File.AppendAllTextAsync(root.Path + Edited, "edited", Cancellation);
        await installing;

        // What came, as find(1) sees it, but for what the policy does not look at, or not for; it is told in more heads than one.
        var came = Paths().Where(path => !before.Contains(path) && path != Edited && !NotLookedAt.Concat(Derived).Any(folder => path.StartsWith(folder, StringComparison.Ordinal))).ToList();
        var missing = came;
        await Eventually.Get(
            async () => (missing = await Missing(came)).Count == 0 ? "yes" : null,
            "all that came to be of a package transaction",
            Cancellation,
            () => string.Join('\n', missing) + _installation.Agent.Log,
            pause: TimeSpan.FromSeconds(1));

        var install = await Cause("dpkg: ", " installed");
        Assert.Contains(install.GetProperty("packages").EnumerateArray(), package => package.GetProperty("name").GetString() == "apache2" && package.GetProperty("from").ValueKind == JsonValueKind.Null);
        Assert.InRange(install.GetProperty("files").GetInt32(), came.Count, came.Count + 50);  // scripts change some besides
        var edited = (await Open()).Single(deviation => deviation.GetProperty("key").GetString() == Edited);
        Assert.Equal("residue", edited.GetProperty("membership").GetString());
        Assert.NotEqual(Id(install), Id(edited.GetProperty("cause")));
        Assert.Equal([Edited], (await Open()).Where(deviation => Id(deviation.GetProperty("cause")) != Id(install)).Select(deviation => deviation.GetProperty("key").GetString()!));

        await root.Install("hello");
        var upgrade = await Cause("dpkg: hello 0.1-1 → ", "");
        Assert.InRange(upgrade.GetProperty("files").GetInt32(), 1, 200);
        Assert.All(await Open(), deviation => Assert.Contains(Id(deviation.GetProperty("cause")), (string[])[Id(install), Id(edited.GetProperty("cause")), Id(upgrade)]));
    }

    /// <summary>Paths that are not in a cause of packages.</summary>
    private async Task<List<string>> Missing(IReadOnlyList<string> paths)
    {
        var told = (await Open())
            .Where(deviation => deviation.GetProperty("cause").GetProperty("kind").GetString() == "packages")
            .Select(deviation => deviation.GetProperty("key").GetString()!).ToHashSet();
        return [.. paths.Where(path => !told.Contains(path))];
    }

    private IEnumerable<string> Paths() =>
        Shell.Run(root.Path, "find . -xdev -printf '/%P\\n'").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The archive's own package, said to be older, and one of its files another.</summary>
    private async Task AnOldHello()
    {
        await root.Install("hello");
        Shell.Run(root.Path, """
            cd tmp
            chroot .. sh -ec 'cd /tmp; apt-get download -qq hello'
            dpkg-deb -R hello_*.deb old
            sed -i 's/^Version: .*/Version: 0.1-1/' old/DEBIAN/control
            echo old >> old/usr/bin/hello
            sed -i "s#^.*  usr/bin/hello\$#$(md5sum < old/usr/bin/hello | cut -c1-32)  usr/bin/hello#" old/DEBIAN/md5sums
            dpkg-deb -b old old.deb
            chroot .. dpkg --force-downgrade -i /tmp/old.deb
            rm -r old old.deb hello_*.deb
            """);
    }

    private async Task<JsonElement> Cause(string start, string end)
    {
        var found = await Eventually.Get(
            async () => (await Causes()).Where(cause => Summary(cause).StartsWith(start, StringComparison.Ordinal) && Summary(cause).Contains(end, StringComparison.Ordinal)).ToList() is { Count: > 0 } causes ? causes : null,
            $"a cause {start}…{end}",
            Cancellation,
            () => string.Join('\n', Causes().GetAwaiter().GetResult()) + _installation.Agent.Log);
        return Assert.Single(found);
    }

    private async Task<List<JsonElement>> Causes() => [.. (await _installation.Succeed("causes", "list")).EnumerateArray()];

    private async Task<List<JsonElement>> Open() => [.. (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray()];

    private static string Summary(JsonElement cause) => cause.GetProperty("summary").GetString()!;

    private static string Id(JsonElement cause) => cause.GetProperty("id").GetString()!;
}
