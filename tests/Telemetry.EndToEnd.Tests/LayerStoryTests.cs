using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>
/// A base kit, two vendors' layers made of real installations, merged; a machine on which both were installed for real; and one that
/// was tampered with. All of it on real Debian roots.
/// </summary>
public sealed class LayerStoryTests(DebianRoot root) : IClassFixture<DebianRoot>, IAsyncDisposable
{
    private const string WebVendor = "acme", CacheVendor = "initech";

    /// <summary>What no layer has, for it is derived: apt gave its download folder to its own user when it first downloaded.</summary>
    private static readonly string[] Explained = ["changed /var/lib/apt/lists/partial (base:1 of base)"];

    private readonly Installation _installation = new();

    public async ValueTask DisposeAsync() => await _installation.DisposeAsync();

    [Fact]
    public async Task TwoVendorsLayers_OnOneBase_AreTheMachineThatHasBoth()
    {
        Assert.SkipUnless(DebianRoot.CanBeMade || Environment.GetEnvironmentVariable("CI") is not null, "debootstrap, and root to run it, are needed");
        await _installation.StartCollector();

        // :: A base kit, and what each vendor makes of it. Both set their own limits in one file.
        var web = await Copy("web");
        await InstallWeb(web);
        var cache = await Copy("cache");
        await InstallCache(cache);
        await Import("base:1", root.Path);
        await Import("web-lab:1", web);
        await Import("cache-lab:1", cache);
        await File.WriteAllTextAsync(_installation["web.toml"], """
            name = "web"
            owner = "acme"
            owns = ["/etc/apache2", "/var/www", "package:dpkg/apache2*"]
            ports = ["tcp/80", "tcp/443"]
            """, TestContext.Current.CancellationToken);
        await _installation.Succeed("layers", "create", "web:1", "--owner", WebVendor, "--from", "base:1", "--to", "web-lab:1", "--claims", _installation["web.toml"]);
        await _installation.Succeed("layers", "create", "cache:1", "--owner", CacheVendor, "--from", "base:1", "--to", "cache-lab:1");

        // :: They fit together: the file that both write is shared setting by setting
        Assert.Empty((await _installation.Succeed("layers", "merge", "base:1", "web:1", "cache:1")).EnumerateArray());
        var shop = await _installation.Succeed("baselines", "compose", "shop:1", "--base", "base:1", "--layer", "web:1", "--layer", "cache:1");
        Assert.Equal(["web:1", "cache:1"], shop.GetProperty("layers").EnumerateArray().Select(layer => layer.GetString()));

        // :: A third layer that wants one of the same files differently is refused, and who disagrees is named
        var rival = await Copy("rival");
        Shell.Run(rival, "mkdir -p etc/apache2 && echo 'Listen 81' > etc/apache2/ports.conf");
        await Import("rival-lab:1", rival);
        await _installation.Succeed("layers", "create", "rival:1", "--owner", "hooli", "--from", "base:1", "--to", "rival-lab:1");
        var merge = await _installation.Ctl("layers", "merge", "base:1", "web:1", "rival:1");
        Assert.Equal(1, merge.ExitCode);
        var conflict = Assert.Single(JsonDocument.Parse(merge.Output).RootElement.EnumerateArray());
        Assert.Equal("setting:/etc/apache2/ports.conf#Listen", conflict.GetProperty("key").GetString());
        Assert.Equal([(WebVendor, "web:1"), ("hooli", "rival:1")], conflict.GetProperty("sides").EnumerateArray().Select(side => (Text(side, "owner"), Text(side, "layer"))));
        Assert.Equal(1, (await _installation.Ctl("baselines", "compose", "shop:2", "--base", "base:1", "--layer", "web:1", "--layer", "rival:1")).ExitCode);

        // :: A machine on which both were installed for real is what was composed
        var both = await Copy("both");
        await InstallWeb(both);
        await InstallCache(both);
        await _installation.StartAgentOn(both, "/");
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        await _installation.Succeed("baselines", "bind", "shop", "--instance", id);
        Same(Explained, await Deviations(id));

        // :: Tampering shows, and nothing else does: each with whose it is
        await _installation.Agent.Stop();
        Shell.Run(both, """
            echo 'ServerTokens Full' >> etc/apache2/apache2.conf
            echo '<?php system($_GET["c"]);' > var/www/html/shell.php
            echo 'requirepass x' >> etc/redis/redis.conf
            chmod 4755 usr/bin/env
            sed -i 's/65536/4/' etc/security/limits.conf
            """);
        await _installation.StartAgentOn(both, "/");
        string[] tampering =
        [
            "added /var/www/html/shell.php (web:1 of acme)",
            "added setting:/etc/apache2/apache2.conf#ServerTokens (web:1 of acme)",
            "changed /etc/apache2/apache2.conf (web:1 of acme)",
            "changed /etc/redis/redis.conf (cache:1 of initech)",
            "changed /usr/bin/env (base:1 of base)",
            """changed setting:/etc/apache2/apache2.conf#\x23order (web:1 of acme)""",
            "changed setting:/etc/security/limits.conf#redis/soft/nofile (cache:1 of initech)",
            "changed setting:/etc/security/limits.conf#www-data/soft/nofile (web:1 of acme)",
        ];
        IReadOnlyList<string> found = [];
        await Eventually.True(
            async () => Explained.Concat(tampering).ToHashSet().SetEquals(found = await Deviations(id)),
            "the deviations", TestContext.Current.CancellationToken, () => string.Join('\n', found) + _installation.Agent.Log);
    }

    private async Task<string> Copy(string name)
    {
        await Finished.Succeed("/bin/cp", "-a", root.Path, _installation[name]);
        return _installation[name];
    }

    private static async Task InstallWeb(string path)
    {
        await DebianRoot.Install(path, "apache2");
        Shell.Run(path, "echo 'www-data soft nofile 65536' >> etc/security/limits.conf");
    }

    private static async Task InstallCache(string path)
    {
        await DebianRoot.Install(path, "redis-server");
        Shell.Run(path, "echo 'redis soft nofile 65536' >> etc/security/limits.conf");
    }

    private async Task Import(string name, string path)
    {
        var manifest = _installation[name.Split(':')[0] + ".manifest"];
        await Finished.Succeed(Programs.Agent, "scan", "--root", path, "--out", manifest, "--fleet-key", _installation["collector/fleet.key"]);
        await _installation.Succeed("baselines", "import", name, manifest);
    }

    /// <summary>Each as <c>change key (layer of owner)</c>.</summary>
    private async Task<IReadOnlyList<string>> Deviations(string instance) =>
    [
        .. (await _installation.Succeed("deviations", "list", "--instance", instance, "--state", "open")).EnumerateArray()
            .Select(deviation => $"{Text(deviation, "change")} {Text(deviation, "key")} ({Text(deviation, "layer")} of {Text(deviation, "owner")})")
            .Order(StringComparer.Ordinal),
    ];

    private static void Same(IEnumerable<string> expected, IEnumerable<string> found)
    {
        var (missing, surplus) = (expected.Except(found), found.Except(expected));
        Assert.True(!missing.Any() && !surplus.Any(), $"missing: [{string.Join(", ", missing)}], surplus: [{string.Join(", ", surplus)}]");
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
