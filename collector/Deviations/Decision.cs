namespace Telemetry.Collector.Deviations;

/// <summary>What somebody decided about deviations. It holds for exactly the states of the entries that it was given for.</summary>
/// <param name="Gives">Acknowledged, waived or approved.</param>
/// <param name="By">Whose token it was.</param>
/// <param name="Until">Of a waiver.</param>
/// <param name="LayerId">The layer version that an approval made.</param>
/// <param name="BaselineId">The baseline version that an approval made.</param>
internal sealed record Decision(
    long Id, DeviationState Gives, string By, string Reason, DateTimeOffset At, DateTimeOffset? Until = null, long? LayerId = null, long? BaselineId = null);

/// <summary>Nothing can be decided as asked; the message says why and what to do.</summary>
internal sealed class DecisionException(string message) : Exception(message);
