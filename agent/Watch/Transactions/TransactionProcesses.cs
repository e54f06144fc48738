using Telemetry.Agent.SystemFacts;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>Which processes belong to the package managers that hold the locks, by their parents. Not for several threads.</summary>
/// <param name="proc"><c>/proc</c>, or a recorded copy.</param>
internal sealed class TransactionProcesses(string proc) : IDisposable
{
    private const int MaxGenerations = 64, MaxKnown = 4096;

    private static readonly string[] Managers =
    [
        "dpkg", "dpkg-deb", "apt", "apt-get", "aptitude", "unattended-upgrade", "rpm", "dnf", "dnf5", "dnf-3", "yum", "microdnf", "zypper",
    ];

    private readonly ProcessFiles _files = new(proc);
    private readonly Dictionary<int, ulong> _members = [];

    /// <summary>Whether an actor's program is a package manager: a reason to ask for the locks.</summary>
    public static bool IsManager(Actor actor)
    {
        var name = actor.Executable.EndsWith(" (deleted)", StringComparison.Ordinal) ? actor.Executable[..^10] : actor.Executable;
        return Managers.Contains(name[(name.LastIndexOf('/') + 1)..]);
    }

    /// <param name="locks">Who holds them now.</param>
    public Belonging Of(Actor actor, IReadOnlyList<PackageLock> locks)
    {
        if (_members.TryGetValue(actor.Pid, out var started) && (actor.Started == 0 || actor.Started == started))
            return Belonging.Member;
        if (actor.HasExited || actor.Started == 0)
            return Belonging.Unknown;

        var belonging = ByParents(actor, locks);
        if (belonging == Belonging.Member)
        {
            if (_members.Count >= MaxKnown)
                _members.Clear();
            _members[actor.Pid] = actor.Started;
        }

        return belonging;
    }

    /// <summary>At the end of a transaction.</summary>
    public void Forget() => _members.Clear();

    public void Dispose() => _files.Dispose();

    /// <summary>Where nobody can tell who holds a lock, or the parents are gone, the program decides.</summary>
    private Belonging ByParents(Actor actor, IReadOnlyList<PackageLock> locks)
    {
        var isTold = locks.All(held => held.Pid != 0);
        for (int pid = actor.Pid, generation = 0; generation < MaxGenerations; generation++)
        {
            if (locks.Any(held => held.Pid == pid) || (pid != actor.Pid && _members.ContainsKey(pid)))
                return Belonging.Member;
            if (pid <= 1)
                return !isTold && IsManager(actor) ? Belonging.Member : Belonging.Outside;
            if (!ProcessStatus.Parent(_files.Read(pid, "stat"u8), out pid))
                break;
        }

        return IsManager(actor) ? Belonging.Member : Belonging.Unknown;
    }
}
