namespace Telemetry.Agent.Spool;

/// <summary>How a lane is.</summary>
/// <param name="Records">That are not acknowledged.</param>
/// <param name="Bytes">On disk or, if that can't be written to, in memory as well.</param>
/// <param name="Oldest">Of what is not acknowledged; null when there is nothing.</param>
/// <param name="Dropped">Units that gave way to newer ones, since the start.</param>
/// <param name="Damaged">Units that could not be read again, since the start.</param>
/// <param name="Failure">Why it is in memory; null: it is on disk.</param>
internal sealed record SpoolLaneStatus(string Name, long Records, long Bytes, DateTimeOffset? Oldest, long Dropped, long Damaged, string? Failure);
