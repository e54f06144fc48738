using System.Text;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class FileSecretsTests : IDisposable
{
    private const string PemKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n";

    private readonly TemporaryDirectory _tree = new();
    private readonly TemporaryDirectory _state = new();

    public FileSecretsTests()
    {
        _tree.Write("etc/shadow", "root:$6$planted");
        _tree.Write("etc/passwd", "root:x:0:0");
        File.SetUnixFileMode(_tree.Write("home/key", PemKey), UnixFileMode.UserRead);
        _tree.Write("doc/example.pem", PemKey);
    }

    public void Dispose()
    {
        _tree.Dispose();
        _state.Dispose();
    }

    [Fact]
    public void Scan_SecretByRuleOrByContent_HasAKeyedDigestOnly()
    {
        var key = FleetKey.Random();
        var scanned = Scans.Look(_tree.Path, policy: Policy("secret"), key: key);

        var shadow = scanned.Find("etc/shadow")!;
        Assert.Null(shadow.Content);
        Assert.Equal(key.Digest("root:$6$planted"u8), shadow.KeyedContent);
        Assert.Equal(key.Digest(Encoding.UTF8.GetBytes(PemKey)), scanned.Find("home/key")!.KeyedContent);
        Assert.Null(scanned.Find("home/key")!.Content);
        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(PemKey)), scanned.Find("doc/example.pem")!.Content);
        Assert.Equal(Digest.Of("root:x:0:0"u8), scanned.Find("etc/passwd")!.Content);
    }

    [Theory]
    [InlineData("\n\n")]
    [InlineData("# a key\n")]
    [InlineData("\ufeff")]
    [InlineData("subject=CN = a\nissuer=CN = b\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", 3000)]
    public void Scan_PrivateKeyBehindOtherText_IsKeyed(string before, int repeated = 1)
    {
        File.SetUnixFileMode(_tree.Write("key", string.Concat(Enumerable.Repeat(before, repeated)) + PemKey), UnixFileMode.UserRead);

        var scanned = Scans.Look(_tree.Path);

        Assert.Null(scanned.Find("key")!.Content);
        Assert.NotNull(scanned.Find("key")!.KeyedContent);
    }

    [Theory]
    [InlineData("etc/shadow-")]
    [InlineData("etc/gshadow-")]
    [InlineData("root/shadow.bak")]
    [InlineData("var/backups/shadow.bak")]
    [InlineData("root/.pgpass")]
    [InlineData("srv/app/.my.cnf")]
    [InlineData("home/u/.netrc")]
    [InlineData("home/u/.aws/credentials")]
    [InlineData("home/u/.docker/config.json")]
    [InlineData("srv/app/.env")]
    public void Scan_SecretByConvention_IsKeyedUnderTheShippedPolicy(string path)
    {
        _tree.Write(path, "a");

        var scanned = Scans.Look(_tree.Path, policy: ShippedPolicies.Default);

        Assert.Equal(Scans.Key.Digest("a"u8), scanned.Find(path)!.KeyedContent);
        Assert.Null(scanned.Find(path)!.Content);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, false)]
    public void Scan_FileWhoseContentIsNotCompared_IsKeyedUnlessEverybodyMayReadIt(UnixFileMode mode, bool isKeyed)
    {
        File.SetUnixFileMode(_tree.Write("var/lib/cloud/instances/i-1/user-data.txt", "a"), mode);

        var scanned = Scans.Look(_tree.Path, policy: ShippedPolicies.Default);

        Assert.Equal(isKeyed, scanned.Find("var/lib/cloud/instances/i-1/user-data.txt")!.KeyedContent is not null);
    }

    [Fact]
    public void Scan_LargeSecret_IsKeyedAsAWhole()
    {
        var content = new byte[300_000];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(_tree["etc/shadow"], content);

        var scanned = Scans.Look(_tree.Path, policy: Policy("secret"));

        Assert.Equal(Scans.Key.Digest(content), scanned.Find("etc/shadow")!.KeyedContent);
    }

    [Fact]
    public void Rescan_UnderAnotherKey_ReadsTheSecretsAlone()
    {
        using var store = Store();
        Look(store, Policy("secret"), Scans.Key);

        var other = FleetKey.Random();
        var again = Look(store, Policy("secret"), other);

        Assert.Equal(2, again.FilesRead);
        Assert.Equal(Scans.Look(_tree.Path, policy: Policy("secret"), key: other).Sighting.Roots, store.Ledger.Head!.Roots);
    }

    [Theory]
    [InlineData("full", "secret")]
    [InlineData("secret", "full")]
    public void Rescan_UnderAnotherPolicy_IsWhatAFreshScanSees(string before, string after)
    {
        using var store = Store();
        Look(store, Policy(before), Scans.Key);

        var again = Look(store, Policy(after), Scans.Key);

        Assert.Equal(1, again.FilesRead);
        Assert.Equal(Scans.Look(_tree.Path, policy: Policy(after)).Sighting.Roots, store.Ledger.Head!.Roots);
    }

    [Fact]
    public void Rescan_NothingChanged_ReadsNoSecretAgain()
    {
        using var store = Store();
        Look(store, Policy("secret"), Scans.Key);

        var again = Look(store, Policy("secret"), Scans.Key);

        Assert.Equal(0, again.FilesRead);
    }

    private static Policy Policy(string treat) => PolicyFile.Parse(
        $"""
        name = "test"
        [[rules]]
        match = ["/etc/shadow"]
        treat = "{treat}"
        """,
        "test.toml");

    private StateStore Store() => new(_state.Path, Scans.StateOptions, Scans.LaterClock(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

    private ScanProgress Look(StateStore store, Policy policy, FleetKey key)
    {
        var progress = new ScanProgress();
        store.Look(Scans.Of(_tree.Path, policy: policy, key: key), progress, TestContext.Current.CancellationToken);
        return progress;
    }
}
