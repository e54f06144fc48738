namespace Telemetry.Collector.TimeSeries;

/// <summary>Finds out which lines of a parcel the server will never take, by asking about parts of it until it has the rest.</summary>
/// <remarks>
/// Lines that a server names are taken out; those that look like what it complains of are asked about together; else it is halves.
/// Each step is bounded: beyond that the parts are given up that were refused last.
/// </remarks>
internal sealed class RefusalSearch(PointParcel all)
{
    /// <summary>About one batch of the queue. It takes minutes then, and happens to nobody but a fleet that sends nonsense.</summary>
    private const int MaxRequests = 5_000;

    /// <summary>About one instance's lines alone: one that sends much nonsense costs others no good line, and little time.</summary>
    private const int MaxRequestsOfOwner = 200;

    // Breadth first: what is given up is small everywhere.
    private readonly Queue<(PointParcel Parcel, bool WasNamed)> _open = new([(all, false)]);
    private readonly List<RefusedParcel> _refused = [];
    private readonly Dictionary<string, int> _requestsOf = [];
    private int _requests;

    /// <summary>What is to be asked about; null: nothing is left.</summary>
    public PointParcel? Next => _open.TryPeek(out var next) ? next.Parcel : null;

    public IReadOnlyList<RefusedParcel> Refused => _refused;

    /// <summary>Texts that the server does not keep.</summary>
    public long LeftOut { get; private set; }

    /// <summary>What the server said of <see cref="Next"/>.</summary>
    public void Take(WriteDecision decision)
    {
        var (parcel, wasNamed) = _open.Dequeue();
        _refused.AddRange(decision.Refused);
        LeftOut += decision.LeftOut;
        switch (decision.Action)
        {
            case WriteAction.SetAside when decision.Lines.Count > 0:
                TakeOut(parcel, decision, wasNamed);
                break;
            case WriteAction.SetAside when decision.Conflict is { } conflict && parcel.Divided(conflict) is var (alike, others) && MayAsk(parcel, 2):
                Open(others);
                Open(alike);
                break;
            case WriteAction.SetAside or WriteAction.Halve when parcel.ByOwner().Halves() is var (first, second) && MayAsk(parcel, 2):
                Open(first);
                Open(second);
                break;
            case WriteAction.SetAside or WriteAction.SetAsideAll or WriteAction.Halve:
                GiveUp(parcel, decision);
                break;
        }
    }

    private void TakeOut(PointParcel parcel, WriteDecision decision, bool wasNamed)
    {
        var (rest, named) = parcel.Without(decision.Lines);
        _refused.AddRange(named.Select(one => new RefusedParcel(one.Line, RejectionReason.RefusedByServer, one.Words.Length > 0 ? one.Words : decision.Words)));

        // A server that names them all takes the rest. One that names one at a time would be sent all of it for each of them.
        if (wasNamed && rest?.Halves() is var (first, second) && MayAsk(parcel, 2))
        {
            Open(first, wasNamed: true);
            Open(second, wasNamed: true);
        }
        else if (rest is not null && MayAsk(parcel, 1))
        {
            Open(rest, wasNamed: true);
        }
        else if (rest is not null)
        {
            GiveUp(rest, decision);
        }
    }

    private void Open(PointParcel parcel, bool wasNamed = false) => _open.Enqueue((parcel, wasNamed));

    private void GiveUp(PointParcel parcel, WriteDecision decision) => _refused.Add(new RefusedParcel(
        parcel, decision.Action == WriteAction.Halve ? RejectionReason.TooBig : RejectionReason.RefusedByServer, decision.Words));

    private bool MayAsk(PointParcel parcel, int more)
    {
        if (_requests + more > MaxRequests)
            return false;
        if (parcel.SoleOwner is { } owner)
        {
            var asked = _requestsOf.GetValueOrDefault(owner) + more;
            if (asked > MaxRequestsOfOwner)
                return false;
            _requestsOf[owner] = asked;
        }

        _requests += more;
        return true;
    }
}
