using System.Security.Cryptography;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Signing;

namespace Telemetry.Collector.Tests.Signing;

/// <summary>Whose keys count, and what becomes of what they signed when that changes.</summary>
public sealed class SigningRegistryTests : IDisposable
{
    private static readonly SignedVersion Shop = new(new VersionName("shop", "1"), IsLayer: false);

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>shop:1 of the owner base is signed with a key of base alone.</summary>
    public SigningRegistryTests()
    {
        _instance = new CertifiedInstance(_collector);
        _collector.Alter("DELETE FROM signatures");
        Trust("base");
        _collector.Signing.Add(Shop, Signed());
    }

    public void Dispose()
    {
        _collector.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void Key_TrustedAsTheWrongOwners_BecomesAnothersWhenThatIsSaid()
    {
        Trust("acme", anew: true);

        var refused = Assert.Throws<SignatureException>(() => Trust("collector"));
        Assert.Equal("That key is known as one of acme. If that was a mistake, 'telemetryctl owners trust collector --key FILE --anew' makes it collector's instead.", refused.Message);
        Assert.Contains("'telemetryctl owners trust base --key FILE --anew'", Problem(), StringComparison.Ordinal);
        Assert.Equal("collector", Trust("collector", anew: true).Owner);
        Assert.Equal("", Problem());
    }

    [Fact]
    public void Key_ThatWasRevoked_StaysSoUnlessSomebodySaysThatItWasAMistake()
    {
        _collector.Signing.Revoke(Id);

        Assert.Contains("was revoked at 2026-03-03", Assert.Throws<SignatureException>(() => Trust("base")).Message, StringComparison.Ordinal);
        Assert.Contains("was revoked at 2026-03-03", Assert.Throws<SignatureException>(() => Trust("acme")).Message, StringComparison.Ordinal);
        Assert.Null(Trust("base", anew: true).RevokedAt);
        Assert.Equal("", Problem());
    }

    [Fact]
    public void OwnKey_BecomesNobodyElses()
    {
        var own = _collector.Store.Read(transaction => transaction.Signatures.Keys().Single(key => key.Owner == PublicKey.Collector));

        Assert.Throws<SignatureException>(() => _collector.Signing.Trust("acme", PemEncoding.WriteString("PUBLIC KEY", own.Bytes), anew: true));
        Assert.Throws<SignatureException>(() => _collector.Signing.Revoke(own.Id));
        Assert.Throws<UnknownKeyException>(() => _collector.Signing.Revoke("0000000000000000"));
    }

    [Fact]
    public void RevokedKey_LeavesWhatItSignedUnused_AndSaysWhatToDo()
    {
        _collector.Signing.Revoke(Id);

        Assert.Equal(
            $"Baseline shop:1 is signed with the key {Id} of base, which was revoked; sign it with another key of base's by 'telemetryctl baselines sign shop:1 --key FILE', or take back what was revoked by mistake with 'telemetryctl owners trust base --key FILE --anew'. It is not used.",
            Problem());
        Assert.Equal(Problem(), Told());
    }

    [Fact]
    public void Instances_AreJudgedAnew_WhenAKeyCountsAgainAndWhenAnotherOneSigns()
    {
        _collector.Signing.Revoke(Id);
        _instance.Tamper();
        var whileRevoked = _collector.Deviations(openOnly: true).Count;

        Trust("base", anew: true);
        var whenTrusted = _collector.Deviations(openOnly: true).Count;
        _collector.Signing.Revoke(Id);
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _instance.Heal();
        var known = _collector.Signing.Trust("base", another.ExportSubjectPublicKeyInfoPem(), anew: false);
        _collector.Signing.Add(Shop, new Signature(known.Id, Sign(another)));

        Assert.Equal((0, 1), (whileRevoked, whenTrusted));
        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Equal("", Told());
    }

    private string Id => PublicKey.FromPem("base", _key.ExportSubjectPublicKeyInfoPem(), Some.Time).Id;

    private PublicKey Trust(string owner, bool anew = false) => _collector.Signing.Trust(owner, _key.ExportSubjectPublicKeyInfoPem(), anew);

    private Signature Signed() => new(Id, Sign(_key));

    private byte[] Sign(ECDsa key) =>
        key.SignData(_collector.Store.Read(transaction => Shop.In(transaction).Statement), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private string Problem() => _collector.Store.Read(transaction => _collector.Seals.ProblemOf(transaction, transaction.Baselines.Find(Shop.Name)!));

    private string Told() => _collector.Store.Read(transaction => transaction.Instances.Find(_instance.Id))!.Comparison;
}
