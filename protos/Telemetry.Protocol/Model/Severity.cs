namespace Telemetry.Protocol.Model;

/// <summary>How much a deviation matters. The numbers are stored and sent.</summary>
public enum Severity
{
    Info = 1,
    Low = 2,
    Medium = 3,
    High = 4,
    Critical = 5,
}
