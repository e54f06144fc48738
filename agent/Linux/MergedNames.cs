namespace Telemetry.Agent.Linux;

/// <summary>Several runs of names as one. There are few runs, so the next name is looked for in all of them.</summary>
internal sealed class MergedNames : INames
{
    private readonly List<INames> _runs;
    private INames? _first;

    public MergedNames(IEnumerable<INames> runs) => _runs = [.. runs.Where(run => run.MoveNext())];

    public ReadOnlyMemory<byte> Record => _first!.Record;

    public bool MoveNext()
    {
        if (_first is { } taken && !taken.MoveNext())
            _runs.Remove(taken);

        _first = null;
        foreach (var run in _runs)
        {
            if (_first is null || run.Record.Span[1..].SequenceCompareTo(_first.Record.Span[1..]) < 0)
                _first = run;
        }

        return _first is not null;
    }
}
