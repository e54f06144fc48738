namespace Telemetry.Collector.Tests;

/// <summary>Instance i-1, certified as shop:1, with one file to tamper with.</summary>
internal sealed class CertifiedInstance
{
    public const string File = "/srv/1/1";

    private readonly Collector _collector;
    private FakeAgent _agent;
    private ulong _sequence;

    public CertifiedInstance(Collector collector)
    {
        _collector = collector;
        _agent = new FakeAgent(collector.NewStream()).Hello();
        Report();
        collector.Certify("i-1");
    }

    public FileTree Tree { get; } = FileTree.OfSize(500);

    public void Tamper(string content = "tampered")
    {
        Tree[File] = Some.File(content);
        Report();
    }

    public void Heal() => Tamper("content 1");

    public void Report(Protocol.Model.Coverage? coverage = null) => _agent.Report(Tree, ++_sequence, coverage: coverage);

    /// <summary>After the collector's restart.</summary>
    public void Reconnect() => _agent = new FakeAgent(_collector.NewStream()).Hello();
}
