namespace Telemetry.Agent.Checks;

/// <summary>A check is in another state than before, or it is its first since the agent started.</summary>
/// <param name="At">When the run began that said so.</param>
internal sealed record CheckChange(DeclaredCheck Check, CheckState State, DateTimeOffset At, string Text);
