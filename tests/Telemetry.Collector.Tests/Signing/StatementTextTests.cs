using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Signing;

/// <summary>Who is asked to sign a statement reads it first, whatever the collector says it is.</summary>
public sealed class StatementTextTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly byte[] _layer, _baseline, _composed;
    private readonly Roots _roots;

    public StatementTextTests()
    {
        _ = new CertifiedInstance(_collector);
        new FakeAgent(_collector.NewStream(), "maker").Hello().Report(new FileTree { ["/srv/app"] = Some.File() });
        _collector.Layers.Create(new VersionName("app", "1"), "acme", "shop:1", "maker", "", "default");
        _collector.Baselines.Compose(new VersionName("kit", "1"), new VersionName("shop", "1"), [new VersionName("app", "1")], new Dictionary<string, string>());
        (_layer, _baseline, _composed, _roots) = _collector.Store.Read(transaction => (
            Statement.Of(LayerRegistry.Find(transaction, new VersionName("app", "1"))),
            new SignedVersion(new VersionName("shop", "1"), IsLayer: false).In(transaction).Statement,
            new SignedVersion(new VersionName("kit", "1"), IsLayer: false).In(transaction).Statement,
            BaselineRegistry.Find(transaction, new VersionName("shop", "1")).Roots));
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Parse_OfWhatIsSigned_SaysWhatItIs()
    {
        Assert.Equal(("layer", "app", "1", "acme"), Named(StatementText.Parse(_layer)));
        Assert.Equal(("baseline", "shop", "1", _roots), (StatementText.Parse(_baseline).Kind, StatementText.Parse(_baseline).Name, StatementText.Parse(_baseline).Version, StatementText.Parse(_baseline).Roots));
        Assert.Contains(StatementText.Parse(_composed).Lines(), line => line == ("layer", Digest.Of(_layer).ToString()));
    }

    [Fact]
    public void Check_OfWhatWasAskedFor_Passes()
    {
        StatementText.Parse(_layer).Check("layer", "app:1", []);
        StatementText.Parse(_baseline).Check("baseline", "shop:1", [_roots.File.ToString(), $"package={_roots.Package}"]);
    }

    [Theory]
    [InlineData("layer", "app:2")]
    [InlineData("baseline", "app:1")]
    public void Check_OfAnotherName_OrAnotherKind_IsRefused(string kind, string name) =>
        Assert.Throws<SignatureException>(() => StatementText.Parse(_layer).Check(kind, name, []));

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("package=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("files=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("12")]
    public void Check_OfAnotherRoot_IsRefused(string root) =>
        Assert.Throws<SignatureException>(() => StatementText.Parse(_baseline).Check("baseline", "shop:1", [root]));

    [Fact]
    public void Parse_OfAnythingElse_IsRefused()
    {
        var acceptance = _collector.Store.Read(transaction => Statement.Of("shop", transaction.Baselines.Accepted("shop")));

        Assert.Throws<SignatureException>(() => StatementText.Parse(acceptance));
        Assert.Throws<SignatureException>(() => StatementText.Parse(Array.Empty<byte>()));
        Assert.Throws<SignatureException>(() => StatementText.Parse((byte[])[.. _composed, 0]));
        foreach (var length in Enumerable.Range(0, _composed.Length))
            Assert.Throws<SignatureException>(() => StatementText.Parse(_composed.AsMemory(0, length)));
    }

    private static (string, string, string, string) Named(StatementText text) => (text.Kind, text.Name, text.Version, text.Owner);
}
