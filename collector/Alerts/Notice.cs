namespace Telemetry.Collector.Alerts;

/// <summary>Something of the collector's own that needs a person, or does no more.</summary>
/// <param name="Subject">What it is about, one word.</param>
/// <param name="IsOpen">It needs a person.</param>
internal sealed record Notice(long Id, DateTimeOffset At, string Subject, bool IsOpen, string Words);
