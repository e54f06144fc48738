namespace Telemetry.Agent.Identity;

/// <summary>Which instance this is.</summary>
/// <param name="InstanceId"><c>i-</c> and 17 hexadecimal digits.</param>
/// <param name="MachineId">The /etc/machine-id it was made under; null when that could not be read.</param>
internal sealed record InstanceIdentity(string InstanceId, string? MachineId);
