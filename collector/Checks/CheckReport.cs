namespace Telemetry.Collector.Checks;

/// <summary>What a check says. The numbers are in the store: never change one.</summary>
internal enum CheckState
{
    /// <summary>Nothing yet.</summary>
    None = 0,
    Ok = 1,
    Warning = 2,
    Critical = 3,

    /// <summary>It could not tell.</summary>
    Unknown = 4,
}

/// <summary>A check of one instance.</summary>
/// <param name="Owner">Of the layer; empty: it does not say.</param>
internal sealed record CheckName(string Layer, string Name, string Owner)
{
    /// <summary>As it is called where only one text names it.</summary>
    public string Id => $"{Layer}/{Name}";
}

/// <param name="At">By the collector's clock.</param>
/// <param name="DefinesService">While it is critical, the instance is down.</param>
internal sealed record CheckChange(CheckName Check, CheckState State, DateTimeOffset At, string Text, bool DefinesService);

/// <summary>All checks that an instance runs.</summary>
internal sealed record CheckRoster(DateTimeOffset At, IReadOnlySet<string> Ids);

/// <param name="Roster">Null: the same as before.</param>
internal sealed record CheckReport(IReadOnlyList<CheckChange> Changes, CheckRoster? Roster)
{
    /// <summary>What was left out of it, each with why.</summary>
    public IReadOnlyList<string> Refused { get; init; } = [];
}

/// <summary>How a check is.</summary>
/// <param name="Before">What it was until then.</param>
internal sealed record CheckStatus(CheckName Check, CheckState State, CheckState Before, DateTimeOffset Since, string Text, bool DefinesService);
