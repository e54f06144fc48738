namespace Telemetry.Agent.Checks;

/// <summary>What a check says: the exit codes of Nagios plug-ins.</summary>
internal enum CheckState
{
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}
