namespace Telemetry.Agent.Linux;

/// <summary>Several runs of names as one. There are few runs, so the next name is looked for in all of them.</summary>
internal sealed class MergedNames : INames
{
    private readonly List<INames> _runs;
    private INames? _first;

    public MergedNames(IEnumerable<INames> runs) => _runs = [.. runs.Where(run => run.MoveNext())];

    public ReadOnlyMemory<byte> Current => _first!.Current;

    public bool MoveNext()
    {
        if (_first is { } taken && !taken.MoveNext())
            _runs.Remove(taken);

        _first = null;
        foreach (var run in _runs)
        {
            if (_first is null || run.Current.Span.SequenceCompareTo(_first.Current.Span) < 0)
                _first = run;
        }

        return _first is not null;
    }
}
