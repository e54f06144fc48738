namespace Telemetry.Collector.Causes;

/// <summary>Somebody changed what judges instances: whatever that opens on them, who themselves did not change, has this as its cause.</summary>
/// <param name="By">Whose token it was; empty: nobody's.</param>
/// <param name="What">Behind the name: such as <c>retired shop:1</c>.</param>
/// <param name="At">The collector's clock.</param>
internal sealed record JudgedAnew(string By, string What, DateTimeOffset At);
