namespace Telemetry.Collector.Tests;

/// <summary>An instance, certified as shop:1, with one file to tamper with.</summary>
internal sealed class CertifiedInstance
{
    public const string File = "/srv/1/1";

    private readonly Collector _collector;
    private readonly string _id;
    private FakeAgent _agent;
    private ulong _sequence;

    public CertifiedInstance(Collector collector, string id = "i-1")
    {
        _collector = collector;
        _id = id;
        _agent = new FakeAgent(collector.NewStream(), id).Hello();
        Report();
        collector.Certify(id);
    }

    public string Id => _id;

    public FileTree Tree { get; } = FileTree.OfSize(500);

    public void Tamper(string content = "tampered")
    {
        Tree[File] = Some.File(content);
        Report();
    }

    /// <summary>Says who made changes, and then reports the state they led to.</summary>
    public void Tamper(Changes changes)
    {
        changes.ApplyTo(Tree);
        Tell(changes);
        Report();
    }

    public void Tell(Changes changes) => _agent.Tell(changes.ToBatch());

    public void Heal() => Tamper("content 1");

    public void Report(Protocol.Model.Coverage? coverage = null) => _agent.Report(Tree, ++_sequence, coverage: coverage);

    /// <summary>After the collector's restart.</summary>
    public void Reconnect() => _agent = new FakeAgent(_collector.NewStream(), _id).Hello();
}
