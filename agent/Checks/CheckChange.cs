namespace Telemetry.Agent.Checks;

/// <summary>A check is in another state than before, or it is its first since the agent started.</summary>
internal sealed record CheckChange(DeclaredCheck Check, CheckState State, DateTimeOffset At, string Text);
