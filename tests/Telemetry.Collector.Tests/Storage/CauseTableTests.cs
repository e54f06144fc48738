using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Storage;

public sealed class CauseTableTests : IDisposable
{
    private const Protocol.V1.Membership Verified = Protocol.V1.Membership.Verified;

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Join_WithoutAWindow_IsOneCauseForEver()
    {
        var first = Join(Packages("a", 0));
        var later = Join(Packages("a", 1_000_000));
        var other = Join(Packages("b", 0));

        Assert.Equal(first.Id, later.Id);
        Assert.NotEqual(first.Id, other.Id);
    }

    [Fact]
    public void Join_WithSomethingEarlier_MovesTheBeginning()
    {
        var first = Join(Packages("a", 0));
        Join(Packages("a", -5));

        _collector.Restart();

        var found = _collector.Store.Read(transaction => transaction.Causes.Find(first.Id))!;
        Assert.Equal(Some.Time.AddSeconds(-5), found.BeganAt);
        Assert.Equal(Packages("a", 0).Packages, found.Packages);
        Assert.Equal("a", found.Summary);
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(61, false)]
    [InlineData(-60, true)]
    [InlineData(-61, false)]
    public void Join_WithAWindow_TakesInWhatIsNear(int seconds, bool isSame)
    {
        var first = Join(Burst(0));

        Assert.Equal(isSame, Join(Burst(seconds)).Id == first.Id);
    }

    [Fact]
    public void Page_OfCausesNothingBelongsTo_IsEmpty()
    {
        Join(Packages("a", 0));

        Assert.Empty(_collector.Store.Read(transaction => transaction.Causes.Page(null, long.MaxValue, 10)));
    }

    [Fact]
    public void PackageOf_AFile_IsTheOnlyOneOfATransactionThatProvedIt()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper(new Changes().In(Changes.Upgrade()).Made("/srv/1/1", Some.File("new"), Verified).Made("/srv/2/2", Some.File("new"), Protocol.V1.Membership.Unverified));
        new CertifiedInstance(_collector, "i-2").Tamper(new Changes().In(Changes.Upgrade("a"), Changes.Upgrade("b")).Made("/srv/3/3", Some.File("new"), Verified));
        instance.Tamper(new Changes().By(Changes.Vim).Made("/srv/4/4", Some.File("edited")));
        instance.Heal();
        instance.Tamper();

        Assert.Equal(["apache2", null, null, null], new[] { "/srv/1/1", "/srv/2/2", "/srv/3/3", "/srv/4/4" }.Select(PackageOf));
    }

    private string? PackageOf(string path) =>
        _collector.Store.Read(transaction => transaction.Causes.PackageOf(EntryKind.File, EntryKey.OfPath(path)));

    private Cause Join(CauseIdentity identity) => _collector.Store.Write(transaction => transaction.Causes.Join(identity));

    private static CauseIdentity Packages(string name, int seconds) => new(
        CauseKind.Packages, Digest.Of([(byte)name[0]]), null, name, [new PackageTransition(name, "amd64", "1", "2")], Some.Time.AddSeconds(seconds));

    private static CauseIdentity Burst(int seconds) => new(
        CauseKind.Actor, Digest.Of([0]), CauseIdentity.Burst, "vim", [], Some.Time.AddSeconds(seconds));
}
