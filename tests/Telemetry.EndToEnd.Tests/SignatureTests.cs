using Microsoft.Data.Sqlite;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary><c>owners</c>, <c>sign</c> and <c>verify</c>, with keys that openssl made.</summary>
public sealed class SignatureTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Owner_SignsWhatIsItsOwn_AndWhatWasAlteredVerifiesNoMore()
    {
        // :: A layer of acme, and keys of acme, of the base's owner and of a stranger
        var id = await _installation.StartCertified();
        await File.WriteAllTextAsync(_installation.Watched + "/app", "", TestContext.Current.CancellationToken);
        await _installation.Open($"added {_installation.Watched}/app");
        await _installation.Succeed("layers", "create", "app:1", "--owner", "acme", "--from", "shop:1", "--to", id);
        Shell.Run(_installation["."], """
            for name in acme base stranger; do openssl ecparam -name prime256v1 -genkey -noout -out $name.key && openssl ec -in $name.key -pubout -out $name.pub; done
            openssl ecparam -name secp384r1 -genkey -noout -out other.key
            """);
        Assert.Equal([("collector", "good")], await Verify("layers", "app:1"));
        await Refused("is not known here; 'telemetryctl owners trust acme --key FILE'", "layers", "sign", "app:1", "--key", _installation["acme.key"]);

        // :: Each signs what is its own
        var trusted = await _installation.Succeed("owners", "trust", "acme", "--key", _installation["acme.pub"]);
        await _installation.Succeed("owners", "trust", "base", "--key", _installation["base.key"]);
        Assert.DoesNotContain("PRIVATE", (await _installation.Succeed("owners", "list")).ToString(), StringComparison.Ordinal);
        await Refused("The key is of base; acme has to sign this.", "layers", "sign", "app:1", "--key", _installation["base.key"]);
        await Refused("not on the curve P-256", "owners", "trust", "acme", "--key", _installation["other.key"]);
        await Refused("holds no private key", "layers", "sign", "app:1", "--key", _installation["acme.pub"]);
        await _installation.Succeed("layers", "sign", "app:1", "--key", _installation["acme.key"]);
        await _installation.Succeed("baselines", "sign", "shop:1", "--key", _installation["base.key"]);
        Assert.Equal([("acme", "good"), ("collector", "good")], await Verify("layers", "app:1"));
        Assert.Equal([("base", "good"), ("collector", "good")], await Verify("baselines", "shop:1"));

        // :: A revoked key counts no more, and stays so; the collector's own can't be
        var key = trusted.GetProperty("id").GetString()!;
        await _installation.Succeed("owners", "revoke", key);
        Assert.Equal([("acme", "revoked"), ("collector", "good")], await Verify("layers", "app:1"));
        await Refused("was revoked", "owners", "trust", "acme", "--key", _installation["acme.pub"]);
        await Refused("--anew' makes it acme's", "owners", "trust", "acme", "--key", _installation["base.pub"]);
        await _installation.Succeed("owners", "trust", "acme", "--key", _installation["acme.pub"], "--anew");
        Assert.Equal([("acme", "good"), ("collector", "good")], await Verify("layers", "app:1"));
        await Refused("this collector's own", "owners", "revoke", await OwnKey());
        await Refused("There is no key", "owners", "revoke", "0000000000000000");

        // :: Whoever writes to the store signs nothing
        await Alter("UPDATE layers SET owner = 'mallory'");
        await Refused("is not what collector signed: it was altered since", "layers", "verify", "app:1");
        var layers = await _installation.Ctl("layers", "list", "--output", "table");
        Assert.Contains("not used", layers.Output, StringComparison.Ordinal);
        Assert.Contains("Layer app:1 is not what", layers.Error, StringComparison.Ordinal);
        await Alter("UPDATE acceptances SET line = 'other'");
        const string Problem = "Which versions of shop are accepted is not what this collector signed";
        await Refused(Problem, "baselines", "verify", "shop:1");
        var listed = Assert.Single((await _installation.Succeed("baselines", "list")).EnumerateArray());
        Assert.Equal("not_used", listed.GetProperty("state").GetString());
        Assert.StartsWith(Problem, listed.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(Problem, (await _installation.Succeed("baselines", "show", "shop:1")).GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(Problem, (await _installation.Ctl("diff", "shop:1", id)).Error, StringComparison.Ordinal);
    }

    private async Task<string> OwnKey() =>
        (await _installation.Succeed("owners", "list")).EnumerateArray().First(key => key.GetProperty("owner").GetString() == "collector").GetProperty("id").GetString()!;

    private async Task<IEnumerable<(string? Owner, string? Verdict)>> Verify(string what, string name) =>
        (await _installation.Succeed(what, "verify", name)).EnumerateArray()
            .Select(signer => (signer.GetProperty("owner").GetString(), signer.GetProperty("verdict").GetString()))
            .Order()
            .ToList();

    private async Task Refused(string because, params string[] command)
    {
        var finished = await _installation.Ctl(command);
        Assert.Equal(1, finished.ExitCode);
        Assert.Contains(because, finished.Error, StringComparison.Ordinal);
    }

    private async Task Alter(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_installation["collector/state.db"]}");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
