namespace Telemetry.Agent.Checks;

/// <summary>A check was run.</summary>
/// <param name="At">When that began.</param>
internal sealed record CheckRun(DeclaredCheck Check, DateTimeOffset At, CheckResult Result, TimeSpan Duration);
