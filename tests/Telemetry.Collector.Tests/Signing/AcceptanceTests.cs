using System.Security.Cryptography;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Signing;

namespace Telemetry.Collector.Tests.Signing;

/// <summary>Which versions of a line are accepted, and which is required, is what this collector signed.</summary>
public sealed class AcceptanceTests : IDisposable
{
    private static readonly VersionName First = new("shop", "1"), Second = new("shop", "2"), Third = new("shop", "3");

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    /// <summary>shop:2 is what the instance is when it was tampered with.</summary>
    public AcceptanceTests()
    {
        _instance = new CertifiedInstance(_collector);
        _instance.Tamper();
        _collector.Baselines.Capture(Second, _instance.Id);
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Versions_MadeInOneMoment_HaveAnOrder()
    {
        _collector.Baselines.Capture(Third, _instance.Id);

        var times = _collector.Store.Read(transaction => transaction.Baselines.Accepted("shop")).Select(version => version.CreatedAt).ToList();

        Assert.Equal(times.Distinct().OrderDescending(), times);
        Assert.Equal(3, times.Count);
    }

    [Fact]
    public void SwappedIds_LeaveTheNewestRequired()
    {
        _collector.Alter("""
            UPDATE baselines        SET id = 3 - id + 100;
            UPDATE baselines        SET id = id - 100;
            UPDATE signatures       SET subject_id = 103 - subject_id WHERE subject = 'baseline';
            UPDATE signatures       SET subject_id = subject_id - 100 WHERE subject = 'baseline';
            """);

        Assert.Equal(Second, Assert.Single(_collector.Store.Read(transaction => transaction.Baselines.NewestOfLines())).Name);
        Assert.Equal((1, Second), _collector.Store.Read(transaction => (transaction.Baselines.Find(Second)!.Id, transaction.Baselines.Newest("shop")!.Name)));
        Assert.Null(Problem());
    }

    [Fact]
    public void SwappedTimes_AreRefused()
    {
        _collector.Alter("UPDATE baselines SET created_at = (SELECT SUM(created_at) FROM baselines) - created_at");

        _instance.Report();

        Assert.Contains("altered", Told(), StringComparison.Ordinal);
    }

    [Fact]
    public void UnRetiredRow_JudgesNobody_AndNothingIsMadeOnTopOfIt()
    {
        _collector.Baselines.Retire(First);
        _collector.Alter("UPDATE baselines SET retired_at = NULL");

        _instance.Heal();

        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Contains("brought back", Told(), StringComparison.Ordinal);
        Assert.Throws<SignatureException>(() => _collector.Baselines.Capture(Third, _instance.Id));
        Assert.Throws<SignatureException>(() => _collector.Baselines.Retire(First));
    }

    [Theory]
    [InlineData("DELETE FROM baselines WHERE version = '2'")]
    [InlineData("UPDATE baselines SET retired_at = 1 WHERE version = '2'")]
    [InlineData("UPDATE baselines SET retired_at = 1")]
    [InlineData("DELETE FROM acceptances")]
    [InlineData("UPDATE acceptances SET signature = (SELECT signature FROM signatures LIMIT 1)")]
    public void AlteredAcceptance_IsRefused_AndARestartDoesNotSignItAnew(string alteration)
    {
        _collector.Alter(alteration);

        _collector.Restart();

        Assert.StartsWith("Which versions of shop are accepted is not what this collector signed", Problem(), StringComparison.Ordinal);
    }

    [Fact]
    public void AcceptanceOfAnOwner_DoesNotCount()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var known = PublicKey.FromPem("base", key.ExportSubjectPublicKeyInfoPem(), Some.Time);
        _collector.Store.Write(transaction =>
        {
            transaction.Signatures.AddKey(known);
            var statement = Statement.Of("shop", transaction.Baselines.Accepted("shop"));
            transaction.Signatures.SetAcceptance("shop", new Signature(known.Id, key.SignData(
                statement, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        });

        Assert.NotNull(Problem());
    }

    [Fact]
    public void StoreFromBeforeAcceptances_IsSignedAtTheFirstStart()
    {
        _collector.Alter("DELETE FROM acceptances; UPDATE collector SET has_acceptances = 0");
        _collector.ForgetThatItSigned();

        _collector.Restart();

        Assert.Null(Problem());
    }

    [Fact]
    public void StoreMadeToLookAsBeforeAcceptances_IsNotSignedAnew()
    {
        _collector.Baselines.Retire(First);
        _collector.Alter("UPDATE baselines SET retired_at = NULL; DELETE FROM acceptances; UPDATE collector SET has_acceptances = 0; DELETE FROM signing_keys");

        _collector.Restart();

        Assert.NotNull(Problem());
    }

    [Fact]
    public void NewKey_SaysAgainWhatTheOneBeforeItSaid()
    {
        var old = _collector.Store.Read(transaction => transaction.Signatures.Acceptance("shop")!.KeyId);
        File.Delete(Path.Combine(_collector.DataDirectory, SigningKey.FileName));

        _collector.Restart();
        _collector.Store.Write(transaction => transaction.Signatures.RevokeKey(old, Some.Time));

        Assert.Null(Problem());
    }

    [Fact]
    public void NewKey_SaysNothingThatTheOneBeforeItDidNot()
    {
        _collector.Baselines.Retire(First);
        _collector.Alter("UPDATE baselines SET retired_at = NULL");
        File.Delete(Path.Combine(_collector.DataDirectory, SigningKey.FileName));

        _collector.Restart();

        Assert.NotNull(Problem());
    }

    private string? Problem() => Record.Exception(() => _collector.Store.Read(transaction =>
        _collector.Seals.CheckAcceptance(transaction, "shop", transaction.Baselines.Accepted("shop"))))?.Message;

    private string Told() => _collector.Store.Read(transaction => transaction.Instances.Find(_instance.Id))!.Comparison;
}
