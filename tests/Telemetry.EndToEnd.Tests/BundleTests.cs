using System.Security.Cryptography;
using System.Text.Json;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A baseline that one collector made and signed, and another takes.</summary>
public sealed class BundleTests : IAsyncDisposable
{
    private readonly Installation _there = new(), _here = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _there.DisposeAsync();
        await _here.DisposeAsync();
    }

    [Fact]
    public async Task Baseline_OfATrustedCollector_JudgesAlike_AndNothingElseIsTaken()
    {
        // :: There, a version is made of a base and a layer that somebody approved
        var file = _there.Watched + "/app.conf";
        await _there.StartCertified();
        _there.Put(file, "approved");
        var open = await _there.Open($"added {file}");
        await _there.Succeed("deviations", "approve", Text(open[0], "id"), "--into", "fix:1", "--owner", "acme", "--reason", "as intended");
        var export = await _there.Succeed("baselines", "export", "shop:2", _there["shop-2.bundle"]);
        var again = await _there.Ctl("baselines", "export", "shop:1", _there["shop-2.bundle"]);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("is there already; name another file, or replace it with --force.", again.Error, StringComparison.Ordinal);
        await _there.Succeed("baselines", "export", "shop:2", _there["shop-2.bundle"], "--force");
        Assert.Equal(["fix:1"], export.GetProperty("layers").EnumerateArray().Select(layer => layer.GetString()));

        // :: Here nobody knows who signed it
        await _here.StartCollector();
        var refused = await _here.Ctl("baselines", "import", _there["shop-2.bundle"]);
        var key = (await _there.Succeed("owners", "list"))[0];
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(Text(key, "id"), refused.Error, StringComparison.Ordinal);
        Assert.Contains("telemetryctl owners trust", refused.Error, StringComparison.Ordinal);

        // :: Trusted, it is refused wherever a byte is another, whether the file says so itself or not
        await File.WriteAllTextAsync(_here["there.pem"], Text(key, "pem"), Cancellation);
        await _here.Succeed("owners", "trust", "collector", "--key", _here["there.pem"]);
        foreach (var altered in Altered(await File.ReadAllBytesAsync(_there["shop-2.bundle"], Cancellation)))
        {
            await File.WriteAllBytesAsync(_here["altered.bundle"], altered, Cancellation);
            var finished = await _here.Ctl("baselines", "import", _here["altered.bundle"]);
            Assert.True(finished.ExitCode is 1 or 2, $"{finished.ExitCode} {finished.Error}{finished.Output}");
            Assert.DoesNotContain("   at ", finished.Error, StringComparison.Ordinal);
        }

        Assert.Empty((await _here.Succeed("baselines", "list")).EnumerateArray());

        // :: As it is, it is taken, once or twice, under its own name alone
        Assert.Equal(1, (await _here.Ctl("baselines", "import", "shop:9", _there["shop-2.bundle"])).ExitCode);
        Assert.Equal(2, (await _here.Ctl("baselines", "import", _there["shop-2.bundle"], "--owner", "me")).ExitCode);
        var imported = await _here.Succeed("baselines", "import", "shop:2", _there["shop-2.bundle"]);
        Assert.Equal(imported.ToString(), (await _here.Succeed("baselines", "import", _there["shop-2.bundle"])).ToString());
        var exported = await _there.Succeed("baselines", "show", "shop:2");
        Assert.Equal(exported.GetProperty("roots").ToString(), imported.GetProperty("roots").ToString());
        Assert.Equal(Text(exported, "created_at"), Text(imported, "created_at"));
        Assert.Equal([Text(key, "id")], (await _here.Succeed("baselines", "verify", "shop:2")).EnumerateArray().Select(signer => Text(signer, "key_id")));

        // :: An instance is judged here as it is there
        await _here.StartAgentOn("/", _there.Watched);
        var id = Text(await _here.FirstHead(), "id");
        await _here.Succeed("baselines", "bind", "shop", "--instance", id);
        Assert.Empty((await _here.Succeed("deviations", "list")).EnumerateArray());
        _there.Put(file, "tampered");
        var (expected, found) = ((await _there.Open($"changed {file}"))[0], (await _here.Open($"changed {file}"))[0]);
        foreach (var what in (string[])["severity", "baseline", "layer", "owner", "expected", "actual"])
            Assert.Equal(expected.GetProperty(what).ToString(), found.GetProperty(what).ToString());
        Assert.Single((await _here.Succeed("deviations", "list", "--owner", "acme")).EnumerateArray());
        Assert.Empty((await _here.Succeed("deviations", "list", "--owner", "base")).EnumerateArray());
    }

    [Fact]
    public async Task OlderVersion_IsRefused_UnlessItIsHistory()
    {
        await _there.StartCertified();
        await _here.StartCollector();
        await File.WriteAllTextAsync(_here["there.pem"], Text((await _there.Succeed("owners", "list"))[0], "pem"), Cancellation);
        await _here.Succeed("owners", "trust", "collector", "--key", _here["there.pem"]);
        var id = Text(await _there.FirstHead(), "id");
        await _there.Succeed("baselines", "capture", "shop:2", "--instance", id);
        foreach (var version in (string[])["1", "2"])
            await _there.Succeed("baselines", "export", "shop:" + version, _here[version + ".bundle"]);
        await _here.Succeed("baselines", "import", _here["2.bundle"]);

        var refused = await _here.Ctl("baselines", "import", _here["1.bundle"]);
        var kept = await _here.Succeed("baselines", "import", _here["1.bundle"], "--history");

        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith("shop:1 is older than shop:2, which is required here", refused.Error, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.String, kept.GetProperty("retired_at").ValueKind);
    }

    /// <summary>A byte here and there; once as damage, which the digest at the end tells, and once with that digest made anew.</summary>
    private static IEnumerable<byte[]> Altered(byte[] bundle)
    {
        var content = bundle.Length - SHA256.HashSizeInBytes;
        foreach (var place in (int[])[8, 20, 60, 200, content / 3, content / 2, content - 200, content - 40, content - 1])
        {
            var altered = (byte[])bundle.Clone();
            altered[place] ^= 0x04;
            yield return altered;

            var plausible = (byte[])altered.Clone();
            SHA256.HashData(plausible.AsSpan(0, content)).CopyTo(plausible, content);
            yield return plausible;
        }

        yield return bundle[..(bundle.Length / 2)];
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
