using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Baselines;

/// <summary>Versions that one collector made and another takes.</summary>
public sealed class BundleRegistryTests : IDisposable
{
    private static readonly VersionName Base = new("shop", "1"), Second = new("shop", "2");

    private readonly Collector _there = new(), _here = new();

    /// <summary>There, shop:2 is shop:1 with what the instance became, as layer fix:1 of acme.</summary>
    public BundleRegistryTests()
    {
        var instance = new CertifiedInstance(_there);
        instance.Tamper();
        var open = Assert.Single(_there.Deviations(openOnly: true));
        _there.Decisions.Approve(new DecisionScope([open.Id]), new VersionName("fix", "1"), "acme", "anna", "as intended");
    }

    public void Dispose()
    {
        _there.Dispose();
        _here.Dispose();
    }

    [Fact]
    public void Bundle_SignedByNobodyKnown_IsRefusedBeforeAnythingIsStored()
    {
        var refused = Assert.Throws<SignatureException>(() => Transfer(Second));

        Assert.Contains(KeyThere.Id, refused.Message, StringComparison.Ordinal);
        Assert.Contains("owners trust acme --key FILE", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_here.Store.Read(transaction => transaction.Baselines.All()));
        Assert.Empty(_here.Store.Read(transaction => transaction.Nodes.Page(0, long.MaxValue, 10)));
    }

    [Fact]
    public void Bundle_OfATrustedCollector_IsTheSameHereAndJudgesAlike()
    {
        Trust(PublicKey.Collector);
        var instance = new FakeAgent(_here.NewStream()).Hello();
        var tree = FileTree.OfSize(500);
        tree[CertifiedInstance.File] = Some.File("something else");
        instance.Report(tree);

        var imported = Transfer(Second);
        _here.Baselines.Bind(Some.Binding(Selector.Instance, "i-1"));

        var exported = _there.Store.Read(transaction => transaction.Baselines.Find(Second))!;
        Assert.Equal((exported.Roots, exported.CreatedAt, exported.Owner), (imported.Roots, imported.CreatedAt, imported.Owner));
        var deviation = Assert.Single(_here.Deviations(openOnly: true));
        Assert.Equal((EntryKey.OfPath(CertifiedInstance.File), new Attributed("fix:1", "acme")), (deviation.Key, deviation.Attributed));
        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(deviation.Expected));
    }

    [Fact]
    public void Bundle_IsNotSignedAnew_AndPassesOnAsItCame()
    {
        Trust(PublicKey.Collector);
        Transfer(Second);

        var bundle = _here.Store.Read(transaction => _here.Bundles.Export(transaction, Second));

        Assert.Equal([KeyThere.Id], bundle.Baseline.Signatures.Concat(bundle.Layers[0].Signatures).Select(signature => signature.KeyId).Distinct());
        Assert.Equal(Statement.Of(ExportThere(Second).Stack, ExportThere(Second).Baseline.What), Statement.Of(bundle.Stack, bundle.Baseline.What));
    }

    [Fact]
    public void Bundle_TakenAgain_ChangesNothing()
    {
        Trust(PublicKey.Collector);
        var first = Transfer(Second);

        var again = Transfer(Second);

        Assert.Equal(first.Id, again.Id);
        Assert.Equal(2, _here.Store.Read(transaction => transaction.Baselines.All()).Count);
        Assert.Single(_here.Store.Read(transaction => transaction.Layers.All()));
    }

    [Fact]
    public void Bundle_WhoseKeyIsTrustedAsAnOwners_IsRefusedForWhatIsOfOthers()
    {
        Trust("acme");

        Assert.StartsWith($"Baseline shop:1 belongs to base, and is signed with the key {KeyThere.Id} of acme; base has to sign it", Assert.Throws<SignatureException>(() => Transfer(Second)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bundle_WhoseKeyIsTrustedAsTheOwners_IsTaken()
    {
        Trust("base");

        Assert.Equal(Base, Transfer(Base).Name);
    }

    public static TheoryData<string> Alterations => new(Alter.Keys);

    private static readonly Dictionary<string, Action<V1.Bundle>> Alter = new()
    {
        ["owner"] = bundle => bundle.Baseline.Owner = "mallory",
        ["version"] = bundle => bundle.Baseline.Version = "9",
        ["time"] = bundle => bundle.Baseline.CreatedAt = bundle.Baseline.CreatedAt.ToTime("").AddMinutes(1).ToTimestamp(),
        ["root"] = bundle => bundle.Baseline.Manifest.Roots.File = bundle.Base.Manifest.Roots.File,
        ["coverage"] = bundle => bundle.Baseline.Manifest.Coverage.Scanners.RemoveAt(0),
        ["resolution"] = bundle => bundle.Baseline.Resolutions.Add("/etc/motd", "fix"),
        ["base's root"] = bundle => bundle.Base.Manifest.Roots.File = bundle.Baseline.Manifest.Roots.File,
        ["no layer"] = bundle => bundle.Layers.Clear(),
        ["layer's claims"] = bundle => bundle.Layers[0].Claims = "owns = [\"/\"]",
        ["layer's owner"] = bundle => bundle.Layers[0].Owner = "base",
        ["layer's tree"] = bundle => bundle.Layers[0].After = bundle.Layers[0].Before,
        ["signature"] = bundle => bundle.Baseline.Signatures[0].Signature = bundle.Base.Signatures[0].Signature,
        ["no base"] = bundle =>
        {
            bundle.Base = null;
            bundle.Layers.Clear();
        },
        ["no signature"] = bundle => bundle.Baseline.Signatures.Clear(),
    };

    [Theory]
    [MemberData(nameof(Alterations))]
    public void Bundle_ThatWasAltered_IsRefused(string what)
    {
        Trust(PublicKey.Collector);

        Assert.Throws<SignatureException>(() => Transfer(Second, alter: Alter[what]));
        Assert.Empty(_here.Store.Read(transaction => transaction.Baselines.All()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(-1)]
    public void Node_ThatWasAltered_MakesNoVersion(int index)
    {
        Trust(PublicKey.Collector);

        Assert.ThrowsAny<Exception>(() => Transfer(Second, alterNodes: nodes =>
        {
            var node = nodes[index < 0 ? nodes.Count - 1 : index];
            node[^1] ^= 1;
        }));
        Assert.Empty(_here.Store.Read(transaction => transaction.Baselines.All()));
    }

    [Fact]
    public void OlderVersion_ThanTheRequiredOne_IsRefusedUnlessItIsHistory()
    {
        Trust(PublicKey.Collector);
        Transfer(Second);
        _there.Time.Advance(TimeSpan.FromHours(1));
        _there.Baselines.Capture(new VersionName("shop", "3"), "i-1");
        _there.Time.Advance(TimeSpan.FromHours(1));
        _there.Baselines.Capture(new VersionName("shop", "4"), "i-1");
        Transfer(new VersionName("shop", "4"));

        var refused = Assert.Throws<BaselineException>(() => Transfer(new VersionName("shop", "3")));
        var kept = Transfer(new VersionName("shop", "3"), asHistory: true);

        Assert.StartsWith("shop:3 is older than shop:4, which is required here", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--history", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(kept.RetiredAt);
        Assert.Equal(["shop:4", "shop:2"], AcceptedHere());
    }

    [Fact]
    public void RetiredVersion_TakenAgain_StaysRetired()
    {
        Trust(PublicKey.Collector);
        Transfer(Base);
        Transfer(Second);
        _here.Baselines.Retire(Base);

        Transfer(Base);

        Assert.Equal(["shop:2"], AcceptedHere());
    }

    [Fact]
    public void Base_ComesAsHistory_AndIsAcceptedWhenItIsTakenItself()
    {
        Trust(PublicKey.Collector);
        var rack = _there.Baselines.Compose(new VersionName("rack", "1"), Base, [new VersionName("fix", "1")], ImmutableDictionary<string, string>.Empty);
        Transfer(rack.Name);
        var before = AcceptedHere();

        Transfer(Base);

        Assert.Empty(before);
        Assert.Equal(["shop:1"], AcceptedHere());
    }

    [Fact]
    public void Version_ThatExistsWithOtherContent_IsRefused()
    {
        Trust(PublicKey.Collector);
        _here.Time.Advance(TimeSpan.FromHours(1));
        _ = new CertifiedInstance(_here);

        Assert.Contains("exists here with other content", Assert.Throws<BaselineException>(() => Transfer(Base)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_FromTheFuture_IsRefused()
    {
        Trust(PublicKey.Collector);
        _there.Time.Advance(TimeSpan.FromDays(2));
        _there.Baselines.Capture(new VersionName("shop", "3"), "i-1");

        Assert.Contains("still to come", Assert.Throws<BaselineException>(() => Transfer(new VersionName("shop", "3"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Base_FromTheFuture_IsRefusedToo()
    {
        Trust(PublicKey.Collector);
        _there.Time.AdjustTime(Some.Time.AddDays(2));
        _there.Baselines.Capture(new VersionName("kit", "1"), "i-1");
        _there.Time.AdjustTime(Some.Time.AddHours(1));
        var rack = _there.Baselines.Compose(new VersionName("rack", "1"), new VersionName("kit", "1"), [new VersionName("fix", "1")], ImmutableDictionary<string, string>.Empty);

        var refused = Assert.Throws<BaselineException>(() => Transfer(rack.Name));

        Assert.StartsWith("kit:1 was made at 2026-03-05", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_here.Store.Read(transaction => transaction.Baselines.All()));
    }

    [Fact]
    public void Line_OfAnotherOwner_IsTakenOverOnlyOnTheWordOfACollector()
    {
        _ = new CertifiedInstance(_here);
        _there.Time.Advance(TimeSpan.FromHours(1));
        var taken = _there.Baselines.Capture(new VersionName("shop", "3"), "i-1", "acme").Name;
        Trust("acme");

        var refused = Assert.Throws<SignatureException>(() => Transfer(taken));
        _here.Store.Write(transaction => transaction.Signatures.ReplaceKey(KeyThere));
        var imported = Transfer(taken);

        Assert.Equal("Baseline shop:3 is of acme, and that line is of base here: only a collector that is trusted here may say that it changed hands.", refused.Message);
        Assert.Equal("acme", imported.Owner);
    }

    [Fact]
    public void AlteredVersion_IsNotExported()
    {
        _there.Alter("UPDATE layers SET owner = 'mallory'");

        Assert.Throws<SignatureException>(() => ExportThere(Second));
    }

    private PublicKey KeyThere => Assert.Single(_there.Store.Read(transaction => transaction.Signatures.Keys()));

    private void Trust(string owner) => _here.Store.Write(transaction => transaction.Signatures.AddKey(KeyThere with { Owner = owner }));

    private Bundle ExportThere(VersionName name) => _there.Store.Read(transaction => _there.Bundles.Export(transaction, name));

    private IEnumerable<string> AcceptedHere() => _here.Store.Read(transaction => transaction.Baselines.Accepted("shop")).Select(version => version.Name.ToString());

    /// <summary>As the service does it, by way of the message.</summary>
    private Baseline Transfer(VersionName name, bool asHistory = false, Action<V1.Bundle>? alter = null, Action<IReadOnlyList<byte[]>>? alterNodes = null)
    {
        var (message, nodes) = _there.Store.Read(transaction =>
        {
            var bundle = _there.Bundles.Export(transaction, name);
            var digests = TreeReader.Nodes(transaction.Nodes, bundle.Roots);
            return (bundle.ToMessage(digests.Count), digests.Select(digest => transaction.Nodes.Read(digest).ToArray()).ToList());
        });
        alter?.Invoke(message);
        alterNodes?.Invoke(nodes);

        var bundle = message.ToModel();
        _here.Bundles.Check(bundle, asHistory);
        using var assembly = new HeadAssembly(bundle.Roots, _here.Room);
        foreach (var node in nodes)
            assembly.Take(node);
        _here.Store.Read(transaction => assembly.AdvanceInOrder(transaction.Nodes));
        Assert.True(assembly.IsComplete);
        return _here.Bundles.Import(bundle, asHistory, assembly.TakeChecked());
    }
}
