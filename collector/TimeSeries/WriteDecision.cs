namespace Telemetry.Collector.TimeSeries;

/// <summary>What is done with lines after a store's answer.</summary>
internal enum WriteAction
{
    /// <summary>It has them.</summary>
    Done,

    /// <summary>Some of them it will never take: those that it names are set aside; names it none, they are looked for.</summary>
    SetAside,

    /// <summary>It will never take any of them.</summary>
    SetAsideAll,

    /// <summary>Not in one piece.</summary>
    Halve,

    /// <summary>Later, as they are.</summary>
    Wait,

    /// <summary>The database or bucket is missing.</summary>
    Create,

    /// <summary>Until a person changes something the answer will be the same: asked rarely, and people are told.</summary>
    NotAllowed,

    /// <summary>The same, for what the configuration names and the store has not.</summary>
    Misconfigured,
}

/// <param name="Words">The store's.</param>
internal sealed record WriteDecision(WriteAction Action, string Words = "")
{
    public static readonly WriteDecision Done = new(WriteAction.Done);

    /// <summary>That it will never take: place in the parcel, from 0, and its words.</summary>
    public IReadOnlyList<(int Line, string Words)> Lines { get; init; } = [];

    /// <summary>What some lines are refused for that it does not name, if it says so.</summary>
    public FieldConflict? Conflict { get; init; }

    /// <summary>Of what is done: lines that were not even sent.</summary>
    public IReadOnlyList<RefusedParcel> Refused { get; init; } = [];

    /// <summary>Of what is done: texts that were not sent, of lines that were, for the store keeps none.</summary>
    public long LeftOut { get; init; }

    /// <summary>How long it asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
