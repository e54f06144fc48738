using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary>The probes of the machine this runs on, by their names.</summary>
internal static class MachineProbes
{
    private const string Proc = "/proc", Sys = "/sys", Utmp = "/run/utmp";

    /// <param name="figures">How the agent itself is.</param>
    public static IEnumerable<IProbe> Of(HealthOptions options, Func<AgentFigures> figures, TimeProvider clock) =>
        options.Probes.Select(name => Of(name, figures, clock));

    private static IProbe Of(string name, Func<AgentFigures> figures, TimeProvider clock) => name switch
    {
        "cpu" => new CpuProbe(Proc),
        "mem" => new MemProbe(Proc),
        "swap" => new SwapProbe(Proc),
        "disk" => new DiskProbe(Proc, "/"),
        "diskio" => new DiskIoProbe(Proc, clock),
        "net" => new NetProbe(Proc, Sys),
        "netstat" => new NetstatProbe(Proc),
        "system" => new SystemProbe(Proc, Sys, Utmp),
        "processes" => new ProcessesProbe(Proc),
        "kernel" => new KernelProbe(Proc),
        "pressure" => new PressureProbe(Proc),
        "systemd_units" => new SystemdUnitsProbe(SystemdSocket.OfThisMachine),
        "agent" => new AgentProbe(Proc, figures, clock),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "there is no such probe"),
    };
}
