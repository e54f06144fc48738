using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Policies;

public sealed class PolicyBookTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Version_ThatWasNeverCommitted_IsForgottenWhenAnotherGetsItsNumber()
    {
        Assert.Throws<InvalidOperationException>(() => _collector.Store.Write(transaction =>
        {
            transaction.Policies.Add(Web(1, "lost"));
            _collector.Policies.Find(transaction, "web");
            throw new InvalidOperationException("the disk is full");
        }));

        _collector.Store.Write(transaction => transaction.Policies.Add(Web(1, "kept")));

        Assert.Contains("kept", _collector.Store.Read(transaction => _collector.Policies.Find(transaction, "web"))!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_ThatIsTheSame_IsParsedOnce()
    {
        _collector.Store.Write(transaction => transaction.Policies.Add(Web(1, "kept")));

        var first = _collector.Store.Read(transaction => _collector.Policies.Find(transaction, "web"));

        Assert.Same(first, _collector.Store.Read(transaction => _collector.Policies.Find(transaction, "web")));
    }

    private static StoredPolicy Web(int version, string comment) => new("web", version, $"name = \"web\" # {comment}\n", Some.Time, "admin");
}
