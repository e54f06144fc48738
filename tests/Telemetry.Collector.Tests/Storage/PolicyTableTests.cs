using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Storage;

public sealed class PolicyTableTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Add_OverARestart_IsReadBackAsItWas()
    {
        var policy = Policy("web", 1, "name = \"web\" # ä\n");
        _collector.Store.Write(transaction => transaction.Policies.Add(policy));

        _collector.Restart();

        Assert.Equal(policy, _collector.Store.Read(transaction => transaction.Policies.Newest("web")));
    }

    [Fact]
    public void Add_AVersionThatExists_IsRefusedAndLeavesTheOld()
    {
        _collector.Store.Write(transaction => transaction.Policies.Add(Policy("web", 1, "old")));

        Assert.ThrowsAny<System.Data.Common.DbException>(() => _collector.Store.Write(transaction => transaction.Policies.Add(Policy("web", 1, "new"))));

        Assert.Equal("old", _collector.Store.Read(transaction => transaction.Policies.Newest("web"))?.Text);
    }

    [Fact]
    public void Newest_IsOfTheName()
    {
        _collector.Store.Write(transaction =>
        {
            transaction.Policies.Add(Policy("web", 1, "a"));
            transaction.Policies.Add(Policy("web", 2, "b"));
            transaction.Policies.Add(Policy("db", 1, "c"));
        });

        var versions = _collector.Store.Read(transaction =>
            ((string[])["web", "db", "none"]).Select(name => transaction.Policies.Newest(name)?.Version).ToList());

        Assert.Equal([2, 1, null], versions);
        Assert.Equal(["db", "web"], _collector.Store.Read(transaction => transaction.Policies.Names()));
    }

    [Fact]
    public void OfLine_UntilItIsSet_IsTheDefault()
    {
        var before = _collector.Store.Read(transaction => transaction.Policies.OfLine("shop"));

        _collector.Store.Write(transaction => transaction.Policies.SetOfLine("shop", "db"));
        _collector.Store.Write(transaction => transaction.Policies.SetOfLine("shop", "web"));

        Assert.Equal("default", before);
        Assert.Equal("web", _collector.Store.Read(transaction => transaction.Policies.OfLine("shop")));
    }

    private static StoredPolicy Policy(string name, int version, string text) => new(name, version, text, Some.Time, "admin");
}
