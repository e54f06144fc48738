using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Signing;

/// <summary>What is used must be what somebody signed who may.</summary>
public sealed class SealsTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    public SealsTests()
    {
        _instance = new CertifiedInstance(_collector);
        new FakeAgent(_collector.NewStream(), "maker").Hello().Report(new FileTree { ["/srv/app"] = Some.File() });
        _collector.Layers.Create(new VersionName("app", "1"), "acme", "shop:1", "maker", "", "default");
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void WhatThisCollectorMade_IsSignedByIt()
    {
        Assert.Equal([SealVerdict.Good], SealsOfLayer());
        Assert.Null(Refusal());
    }

    [Fact]
    public void Signature_IsOneThatOpensslVerifies()
    {
        using var folder = new TemporaryDirectory();
        var (statement, signature, key) = _collector.Store.Read(transaction =>
        {
            var layer = LayerRegistry.Find(transaction, new VersionName("app", "1"));
            var signature = Assert.Single(transaction.Signatures.Of(Subject.Of(layer)));
            return (Statement.Of(layer), signature, transaction.Signatures.FindKey(signature.KeyId)!);
        });
        File.WriteAllBytes(folder["statement"], statement);
        File.WriteAllBytes(folder["signature"], signature.Bytes);
        File.WriteAllText(folder["key"], PemEncoding.WriteString("PUBLIC KEY", key.Bytes));

        Assert.Contains("Verified OK", Shell.Run(folder.Path, "openssl dgst -sha256 -verify key -signature signature statement"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE layers SET owner = 'mallory'")]
    [InlineData("UPDATE layers SET after_file_root = before_file_root")]
    [InlineData("UPDATE layers SET claims = 'ports = [\"tcp/1\"]'")]
    public void AlteredLayer_IsRefused(string alteration)
    {
        Alter(alteration);

        Assert.Contains("altered", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void AlteredRoot_OfABaseline_JudgesNobody()
    {
        _instance.Tamper();
        Alter("UPDATE baselines SET file_root = package_root");

        _instance.Heal();

        Assert.True(Assert.Single(_collector.Deviations()).IsOpen);
        Assert.Contains("altered", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison, StringComparison.Ordinal);
    }

    [Fact]
    public void AlteredLayer_OfAComposedBaseline_JudgesNobody()
    {
        _collector.Baselines.Compose(new VersionName("shop", "2"), new VersionName("shop", "1"), [new VersionName("app", "1")], new Dictionary<string, string>());
        Alter("UPDATE layers SET owner = 'mallory'");

        _instance.Tamper();

        Assert.Empty(_collector.Deviations());
        Assert.Contains("shop:2", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison, StringComparison.Ordinal);
    }

    [Fact]
    public void AlteredLayer_OfTheLine_IsNotSignedAnewByAnApproval()
    {
        _collector.Baselines.Compose(new VersionName("shop", "2"), new VersionName("shop", "1"), [new VersionName("app", "1")], new Dictionary<string, string>());
        _instance.Tamper();
        Alter("UPDATE layers SET owner = 'mallory'");

        var open = Assert.Single(_collector.Deviations(openOnly: true), deviation => deviation.Key.ToString() == "srv/1/1");
        Assert.Throws<SignatureException>(
            () => _collector.Decisions.Approve(new DecisionScope([open.Id]), new VersionName("fix", "1"), null, "anna", "as intended"));
    }

    [Fact]
    public void AlteredBaseline_IsNothingALayerIsMadeOf()
    {
        Alter("UPDATE baselines SET file_root = package_root");

        Assert.Throws<SignatureException>(() => _collector.Layers.Create(new VersionName("new", "1"), "acme", "shop:1", "maker", "", "default"));
    }

    [Fact]
    public void AlteredNode_UnderASignedRoot_JudgesNobodyAndIsNamed()
    {
        _instance.Tamper();
        var root = FileRoot();
        Alter($"UPDATE nodes SET body = (SELECT body FROM nodes WHERE level = 0 AND digest <> x'{root}' LIMIT 1) WHERE digest = x'{root}'");

        _instance.Tamper("otherwise");

        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(Assert.Single(_collector.Deviations()).Actual));
        var told = _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison;
        Assert.Contains(root, told, StringComparison.Ordinal);
        Assert.Contains("restore state.db", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)", 0)]
    [InlineData("CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)", 1)]
    [InlineData("'text'", 0)]
    [InlineData("7", 1)]
    public void AlteredNode_IsNothingThatIsMadeSomethingOf(string body, int level)
    {
        Alter($"UPDATE nodes SET body = {body} WHERE level = {level}");

        Assert.Throws<DamagedNodeException>(() => _collector.Layers.Create(new VersionName("new", "1"), "acme", "shop:1", "maker", "", "default"));
    }

    [Fact]
    public void AlteredNode_StopsTheSweepAndNothingElse()
    {
        var before = Nodes();
        var retention = new HistoryRetention(_collector.Store, [], new StoreOptions(TimeSpan.FromDays(400)), _collector.Time, NullLogger<HistoryRetention>.Instance);
        retention.Forget(TestContext.Current.CancellationToken);
        Alter($"UPDATE nodes SET body = x'0000' WHERE digest = x'{FileRoot()}'");

        retention.Forget(TestContext.Current.CancellationToken);

        Assert.Equal(before, Nodes());
    }

    [Fact]
    public void Unsigned_IsRefused()
    {
        Alter("DELETE FROM signatures WHERE subject = 'layer'");

        Assert.Contains("not signed", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acme", nameof(SealVerdict.Good), null)]
    [InlineData("collector", nameof(SealVerdict.Good), null)]
    [InlineData("mallory", nameof(SealVerdict.NotOwner), "; acme has to sign it by 'telemetryctl layers sign app:1 --key FILE', or, should that key be acme's, 'telemetryctl owners trust acme --key FILE --anew' says so. It is not used.")]
    [InlineData(null, nameof(SealVerdict.Unknown), "which nobody here knows; 'telemetryctl owners trust acme --key FILE' makes it known as acme's, or with 'collector' for acme as another collector's, which signs for all owners. It is not used.")]
    public void SignatureOfAnother_CountsWhenTheKeyIsTheOwnersOrACollectors(string? owner, string expected, string? message)
    {
        var verdict = Enum.Parse<SealVerdict>(expected);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Alter("DELETE FROM signatures WHERE subject = 'layer'");

        Sign(key, owner);

        Assert.Equal([verdict], SealsOfLayer());
        Assert.Equal(message is null, Refusal() is null);
        Assert.EndsWith(message ?? "", Refusal() ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void RevokedKey_CountsNoMore()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Alter("DELETE FROM signatures WHERE subject = 'layer'");
        Sign(key, "acme");

        _collector.Store.Write(transaction => transaction.Signatures.RevokeKey(PublicOf(key, "acme").Id, Some.Time));

        Assert.Contains("revoked", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void SignatureOfAnotherVersion_DoesNotHold()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Alter("DELETE FROM signatures WHERE subject = 'layer'");
        Sign(key, "acme");

        Alter("UPDATE layers SET version = '2'");

        Assert.Contains("altered", Refusal("2"), StringComparison.Ordinal);
    }

    [Fact]
    public void StoreFromBeforeSignatures_IsSignedAtTheFirstStart()
    {
        Alter("DELETE FROM signatures; DELETE FROM signing_keys");
        _collector.ForgetThatItSigned();

        _collector.Restart();

        Assert.Null(Refusal());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void StoreMadeToLookAsBeforeSignatures_IsNotSignedAnew(bool isKeyNew)
    {
        Alter("DELETE FROM signatures; DELETE FROM signing_keys; DELETE FROM acceptances; UPDATE collector SET has_acceptances = 0; UPDATE layers SET owner = 'mallory'");
        if (isKeyNew)
            File.Delete(Path.Combine(_collector.DataDirectory, SigningKey.FileName));

        _collector.Restart();

        Assert.Contains("not signed", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Start_ThatFailedBeforeItSigned_IsMadeUpFor()
    {
        _collector.ForgetThatItSigned();
        Alter("DELETE FROM signatures; DELETE FROM signing_keys; DROP TABLE acceptances");

        Assert.ThrowsAny<Exception>(_collector.Restart);

        Assert.False(File.Exists(Path.Combine(_collector.DataDirectory, SigningKey.MarkName)));
    }

    [Fact]
    public void UnsignedRow_ThatAppearsLater_StaysUnsigned()
    {
        Alter("DELETE FROM signatures");

        _collector.Restart();

        Assert.NotNull(Refusal());
    }

    [Theory]
    [InlineData("secp384r1")]
    [InlineData("brainpoolP256r1")]
    public void KeyOnAnotherCurve_IsRefused(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));

        Assert.Throws<SignatureException>(() => PublicKey.FromPem("acme", key.ExportSubjectPublicKeyInfoPem(), Some.Time));
    }

    private string FileRoot() => _collector.Store.Read(transaction => transaction.Baselines.Find(new VersionName("shop", "1"))!.Roots.File.ToString());

    private int Nodes() => _collector.Store.Read(transaction => transaction.Nodes.Page(0, long.MaxValue, int.MaxValue)).Count;

    private static PublicKey PublicOf(ECDsa key, string owner) => PublicKey.FromPem(owner, key.ExportSubjectPublicKeyInfoPem(), Some.Time);

    private void Sign(ECDsa key, string? owner) => _collector.Store.Write(transaction =>
    {
        var layer = LayerRegistry.Find(transaction, new VersionName("app", "1"));
        var known = PublicOf(key, owner ?? "nobody");
        if (owner is not null)
            transaction.Signatures.AddKey(known);
        transaction.Signatures.Add(
            Subject.Of(layer), new Signature(known.Id, key.SignData(Statement.Of(layer), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
    });

    private IEnumerable<SealVerdict> SealsOfLayer() => _collector.Store.Read(transaction =>
    {
        var layer = LayerRegistry.Find(transaction, new VersionName("app", "1"));
        return _collector.Seals.Of(transaction, Subject.Of(layer), layer.Owner, Statement.Of(layer)).Select(seal => seal.Verdict).ToList();
    });

    private string? Refusal(string version = "1") => Record.Exception(() => _collector.Store.Read(transaction =>
        _collector.Seals.Check(transaction, LayerRegistry.Find(transaction, new VersionName("app", version)))))?.Message;

    private void Alter(string sql) => _collector.Alter(sql);
}
