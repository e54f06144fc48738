using System.Security.Cryptography;
using System.Text;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Secrets are planted wherever machines have them; then everything that left the agent's memory is searched for them.</summary>
public sealed class SecretTests : IAsyncDisposable
{
    private const string Key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAAplantedkeyplantedkeyplantedkey\n-----END OPENSSH PRIVATE KEY-----\n";

    /// <summary>Path, content, and the secrets in it. What each becomes later differs in its last byte.</summary>
    private static readonly (string Path, string Content, string[] Secrets)[] Planted =
    [
        ("etc/shadow", "root:$6$saltsalt$plantedhashofroot:19000:0:99999:7:::\n", ["$6$saltsalt$plantedhashofroot"]),
        ("etc/mysql/debian.cnf", "[client]\nuser = maint\npassword = planted-mysql-word\n", ["planted-mysql-word"]),
        ("etc/fstab", "//server/share /mnt cifs user=x,password=planted-cifs-word 0 0\n", ["planted-cifs-word"]),
        ("etc/crontab", "5 4 * * * root backup --password=planted-cron-word /srv\n", ["planted-cron-word"]),
        ("etc/systemd/system/app.service", "[Service]\nExecStart=/usr/bin/app\nEnvironment=APP_TOKEN=planted-unit-word\n", ["planted-unit-word"]),
        ("etc/cron.d/forms", "APP_KEY=planted-key-word\n5 4 * * * root openssl enc -k planted-openssl-word -in a\n6 4 * * * root echo planted-piped-word | sudo -S ls\n7 4 * * * root vault login planted-vault-word\n8 4 * * * root tool --auth planted-auth-word\n", ["planted-key-word", "planted-openssl-word", "planted-piped-word", "planted-vault-word", "planted-auth-word"]),
        ("etc/pam.d/radius", "auth sufficient pam_radius.so secret planted-pam-word\n", ["planted-pam-word"]),
        ("etc/ssl/private/site.key", "binary key planted-site-key", ["planted-site-key"]),
        ("root/.ssh/id_ed25519", Key, ["plantedkeyplantedkeyplantedkey"]),
        ("opt/app/server.pem", Key.Replace("OPENSSH ", "", StringComparison.Ordinal), ["plantedkeyplantedkeyplantedkey"]),
    ];

    private const string Harmless = "127.0.0.1 localhost\n";

    // What a plug-in says, as text and as the names of values.
    private const string Said = "password=planted-check-word https://u:planted-url-word@h: text | 'https://u:planted-label-word@h'=1;2;3";
    private static readonly string[] SaidSecrets = ["planted-check-word", "planted-url-word", "planted-label-word"];

    private readonly Installation _installation;
    private readonly TemporaryDirectory _layers = new();
    private readonly TemporaryDirectory _root = new();
    private RecordingRelay? _wire;

    public SecretTests() =>
        _installation = new(agentSettings: $"""
            [log]
            level = "debug"
            [health]
            interval = "1s"
            [checks]
            layers = "{_layers.Path}"
            user = "nobody"
            """);

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        if (_wire is not null)
            await _wire.DisposeAsync();
        _root.Dispose();
        _layers.Dispose();
    }

    [Fact]
    public async Task Secret_CertifiedAndChanged_NeverLeavesTheMachine()
    {
        Plant(suffix: "");
        _root.Write("etc/hosts", Harmless);
        _layers.Write("web.toml", $"name = \"web\"\n[[checks]]\nname = \"says\"\ncommand = [\"/bin/echo\", \"{Said}\"]\ninterval = \"1s\"\ntimeout = \"1s\"\n");
        await _installation.StartCollector();
        _wire = new RecordingRelay(new Uri(_installation.AgentsServer).Port);
        await _installation.StartAgentOn(_root.Path, "/", "http://127.0.0.1:" + _wire.Port);
        await _installation.Certify();

        Plant(suffix: "x");
        var keys = Planted.Select(planted => "/" + planted.Path).ToHashSet();
        var shown = await Eventually.Get(
            async () =>
            {
                var open = await _installation.Succeed("deviations", "list", "--state", "open");
                return keys.IsSubsetOf(open.EnumerateArray().Select(deviation => deviation.GetProperty("key").GetString()!)) ? open.GetRawText() : null;
            },
            "every planted file to deviate",
            TestContext.Current.CancellationToken,
            () => _installation.Agent.Log);

        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        shown += await Eventually.Get(
            async () => (await _installation.Succeed("instances", "show", id)).GetRawText() is var text && text.Contains("password=*** https://u:***@h: text", StringComparison.Ordinal) ? text : null,
            "what the check says",
            TestContext.Current.CancellationToken,
            () => _installation.Agent.Log);

        await _installation.Agent.Stop();
        await _installation.Collector.Stop();
        var places = new Dictionary<string, byte[]>
        {
            ["the wire"] = _wire.Passed,
            ["the agent's state"] = Bytes(_installation["agent"]),
            ["the collector's store"] = Bytes(_installation["collector"]),
            ["the logs and what people see"] = Encoding.UTF8.GetBytes(_installation.Agent.Log + _installation.Collector.Log + shown),
        };
        foreach (var (place, bytes) in places)
        {
            Assert.DoesNotContain(Planted.SelectMany(planted => Traces(planted, "").Concat(Traces(planted, "x"))), trace => Holds(bytes, trace.Bytes, trace.Name, place));
            Assert.DoesNotContain(SaidSecrets, secret => Holds(bytes, Encoding.UTF8.GetBytes(secret), "secret of a check", place));
        }

        // The search finds what is there.
        var harmless = SHA256.HashData(Encoding.UTF8.GetBytes(Harmless));
        foreach (var place in (string[])["the wire", "the agent's state", "the collector's store"])
            Assert.True(places[place].AsSpan().IndexOf(harmless) >= 0, $"{place} lacks the digest of a file that is no secret");
    }

    private void Plant(string suffix)
    {
        foreach (var (path, content, secrets) in Planted)
        {
            // Never for a moment readable by everybody, as a private key is made.
            _root.Write(path, "");
            File.SetUnixFileMode(_root[path], UnixFileMode.UserRead | UnixFileMode.UserWrite);
            _root.Write(path, With(content, secrets, suffix));
        }
    }

    private static string With(string content, string[] secrets, string suffix) =>
        secrets.Aggregate(content, (text, secret) => text.Replace(secret, secret + suffix, StringComparison.Ordinal));

    /// <summary>The secret itself and every plain digest of it or of its file, as bytes, in hexadecimal and in base64.</summary>
    private static IEnumerable<(string Name, byte[] Bytes)> Traces((string Path, string Content, string[] Secrets) planted, string suffix)
    {
        var file = Encoding.UTF8.GetBytes(With(planted.Content, planted.Secrets, suffix));
        foreach (var text in planted.Secrets.Select(secret => Encoding.UTF8.GetBytes(secret + suffix)).Append(file))
        {
            yield return ("secret of " + planted.Path, text);
            var digest = SHA256.HashData(text);
            yield return ("digest of " + planted.Path, digest);
            yield return ("digest of " + planted.Path, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(digest)));
            yield return ("digest of " + planted.Path, Encoding.ASCII.GetBytes(Convert.ToBase64String(digest)));
        }
    }

    private static bool Holds(byte[] place, byte[] trace, string name, string where)
    {
        var isThere = place.AsSpan().IndexOf(trace) >= 0;
        if (isThere)
            TestContext.Current.SendDiagnosticMessage($"{where} holds a {name}");
        return isThere;
    }

    private static byte[] Bytes(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).SelectMany(File.ReadAllBytes)];
}
