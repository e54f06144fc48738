using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>The scanners of system facts, one for each sort. They live as long as the agent, and some remember what they saw.</summary>
internal sealed class FactSources
{
    private const string Sysctl = "sysctl";

    private readonly IReadOnlyList<IScanner> _scanners;
    private readonly bool _hasSysctls;

    /// <param name="root">Only of <c>/</c> there is more to tell than what files say: an image has no kernel, no sockets, no mounts.</param>
    /// <param name="facts">Which of <see cref="All"/>.</param>
    public FactSources(string root, IReadOnlyList<string> facts, TimeProvider clock)
    {
        var isMachine = Path.GetFullPath(root) == "/";
        _scanners = [.. facts.Distinct().Select(fact => Scanner(fact, root, isMachine, clock)).OfType<IScanner>()];
        _hasSysctls = isMachine && facts.Contains(Sysctl);
    }

    /// <summary>Every sort of fact: the first component of its keys.</summary>
    public static IReadOnlyList<string> All { get; } = ["kernel", "module", "mount", "socket", Sysctl, "unit"];

    /// <param name="sysctls">Kernel parameters, as names and patterns.</param>
    /// <param name="allowed">Those that may be read; null: all.</param>
    public IEnumerable<IScanner> Scanners(IReadOnlyList<SysctlPattern> sysctls, IReadOnlyList<SysctlPattern>? allowed = null) =>
        _hasSysctls ? _scanners.Append(new SysctlScanner("/proc", sysctls) { Allowed = allowed }) : _scanners;

    private static IScanner? Scanner(string fact, string root, bool isMachine, TimeProvider clock) => fact switch
    {
        "unit" => new UnitScanner(root, isMachine ? FailedUnits.OfThisMachine() : null),
        _ when !isMachine => null,
        "kernel" => new KernelScanner("/proc"),
        "module" => new ModuleScanner("/proc", "/sys"),
        "mount" => new MountScanner("/proc"),
        "socket" => new SocketScanner(root, "/proc", clock),
        _ => null,
    };
}
