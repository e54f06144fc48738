using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Who made a change: reads the process of an event at once, and never tells of another that has its pid by now.</summary>
/// <remarks>
/// <para>Events are handed over in the order of the queue, each with its number: <see cref="Read"/> for a change,
/// <see cref="ExecSeen"/> for FAN_OPEN_EXEC. What is read now may be a later program than the one that made the change: the
/// kernel queues the exec before the link <c>exe</c> changes, so once the queue has been read on past the moment of reading,
/// <see cref="Settled(Actor, ulong)"/> knows.</para>
/// <para>A process is read once in a burst of its events and for a second stands for what it was, also when it has ended meanwhile:
/// as long as its pid can't have been handed out again.</para>
/// <para>One thread reads the queue; <see cref="Settled(SeenActor)"/> may be asked by others.</para>
/// </remarks>
/// <param name="proc"><c>/proc</c>, or a recorded copy.</param>
/// <param name="seesExecs">Whether <see cref="ExecSeen"/> is told of all programs that are started from a filesystem; null: of every one.</param>
internal sealed class ActorReader(string proc, UserNames users, TimeProvider clock, Predicate<ulong>? seesExecs = null) : IDisposable
{
    private const int MaxKnown = 1024;
    private const uint NoLogin = uint.MaxValue;

    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(1);

    // So long a process is trusted not to have changed its user without an exec.
    private static readonly TimeSpan LongestTrust = TimeSpan.FromMilliseconds(5);

    private readonly ProcessFiles _files = new(proc);
    private readonly Lock _gate = new();
    private readonly ExecLog _execs = new();
    private long _round;
    private readonly Dictionary<int, Known> _known = [];

    /// <param name="pidfd">Of the event; negative: FAN_NOPIDFD (-1, the process is gone) or FAN_EPIDFD (-2, none could be made). Stays the caller's.</param>
    /// <param name="order">Number of the event in the queue.</param>
    /// <returns>The same object for events of one burst. Its certainty is not settled yet.</returns>
    public Actor Read(int pid, int pidfd, ulong order)
    {
        if (pid <= 0)
            return new Actor(0);

        if (pidfd < 0 || PidDescriptor.HasExited(pidfd))
            return Past(pid, hasExited: pidfd != PidDescriptor.Failed);
        if (_known.TryGetValue(pid, out var known) && IsStill(known))
            return PidDescriptor.HasExited(pidfd) ? Past(pid, hasExited: true) : Settled(known.Actor, order);

        var cursor = _files.LastPid();
        var actor = Look(pid);
        if (PidDescriptor.HasExited(pidfd))
            return Past(pid, hasExited: true);
        Keep(actor, cursor);
        return Settled(actor, order);
    }

    /// <summary>The same, to be settled later.</summary>
    public SeenActor See(int pid, int pidfd, ulong order) => new(Read(pid, pidfd, order), order, _round);

    /// <summary>A process begins to run another program: a FAN_OPEN_EXEC event.</summary>
    public void ExecSeen(int pid, ulong order)
    {
        lock (_gate)
            _execs.Seen(pid, order);
        _known.Remove(pid);
    }

    /// <summary>All events were handed over that the queue had.</summary>
    public void Drained() => Interlocked.Increment(ref _round);

    /// <summary>The actor with its certainty, as far as the queue has been read.</summary>
    public Actor Settled(SeenActor seen)
    {
        if (seen.Actor.IsCertain && Interlocked.Read(ref _round) == seen.Round)
            return seen.Actor with { IsCertain = false };
        lock (_gate)
            return Settled(seen.Actor, seen.Order);
    }

    /// <summary>The actor with its certainty, for the change with this number. For good once all events were handed over that the queue had after <see cref="Read"/> returned.</summary>
    public Actor Settled(Actor actor, ulong order) =>
        actor.IsCertain && _execs.MayHaveSince(actor.Pid, order) ? actor with { IsCertain = false } : actor;

    public void Dispose() => _files.Dispose();

    /// <summary>Of a process that is gone, what was read of it in this burst.</summary>
    private Actor Past(int pid, bool hasExited)
    {
        if (_known.TryGetValue(pid, out var known))
        {
            if (clock.GetElapsedTime(known.SeenAt) < LongestLife && !MayBeReused(known, _files.LastPid()))
                return known.Actor;
            _known.Remove(pid);
        }

        return new Actor(pid) { HasExited = hasExited };
    }

    /// <summary>Pids are handed out in a circle: one that the cursor did not pass is nobody else's. No machine goes all around in a second.</summary>
    private static bool MayBeReused(Known known, int cursor)
    {
        if (known.Cursor == 0 || cursor == 0)
            return true;
        var pid = known.Actor.Pid;
        return known.Cursor <= cursor ? pid > known.Cursor && pid <= cursor : pid > known.Cursor || pid <= cursor;
    }

    private bool IsStill(Known known)
    {
        if (clock.GetElapsedTime(known.ReadAt) >= LongestLife)
            return false;
        if (clock.GetElapsedTime(known.SeenAt) < LongestTrust)
            return true;

        var cursor = _files.LastPid();
        if (!ProcessStatus.Started(_files.Read(known.Actor.Pid, "stat"u8), out var started) || started != known.Actor.Started)
            return false;
        if (!ProcessStatus.EffectiveUser(_files.Read(known.Actor.Pid, "status"u8), out var user) || user != known.Actor.Uid)
            return false;
        known.SeenAt = clock.GetTimestamp();
        known.Cursor = cursor;
        return true;
    }

    private void Keep(Actor actor, int cursor)
    {
        if (actor.Started == 0)
            return;
        if (_known.Count >= MaxKnown && !_known.ContainsKey(actor.Pid))
            _known.Clear();
        _known[actor.Pid] = new Known(actor) { ReadAt = clock.GetTimestamp(), SeenAt = clock.GetTimestamp(), Cursor = cursor };
    }

    private Actor Look(int pid)
    {
        var stat = _files.Read(pid, "stat"u8);
        if (!ProcessStatus.Started(stat, out var started) || !ProcessStatus.Parent(stat, out var parent))
            return new Actor(pid);

        var executable = EscapedText.Of(_files.Executable(pid));
        var commandLine = _files.Read(pid, "cmdline"u8, out var isCut);
        var actor = new Actor(pid)
        {
            Executable = executable,
            IsCertain = executable.Length > 0 && (seesExecs is null || (_files.ExecutableDevice(pid) is { } device && seesExecs(device))),
            CommandLine = CommandLineText.Of(commandLine, isCut),
            Started = started,
            ParentPid = parent,
            Unit = ControlGroup.Of(_files.Read(pid, "cgroup"u8)),
        };
        if (ProcessStatus.EffectiveUser(_files.Read(pid, "status"u8), out var user))
            actor = actor with { Uid = user, User = users.Of(user) };
        if (ProcessStatus.LoginUser(_files.Read(pid, "loginuid"u8), out var login) && login != NoLogin)
            actor = actor with { LoginUid = login, LoginUser = users.Of(login) };
        return parent > 0 ? WithParent(actor) : actor;
    }

    /// <summary>A parent that ends hands its children on: as long as it is the parent, its pid is its own.</summary>
    private Actor WithParent(Actor actor)
    {
        var executable = EscapedText.Of(_files.Executable(actor.ParentPid));
        return ProcessStatus.Parent(_files.Read(actor.Pid, "stat"u8), out var parent) && parent == actor.ParentPid
            ? actor with { ParentExecutable = executable }
            : actor;
    }

    private sealed class Known(Actor actor)
    {
        public Actor Actor { get; } = actor;

        public long ReadAt { get; init; }

        /// <summary>When it was alive for sure.</summary>
        public long SeenAt { get; set; }

        /// <summary>The cursor of pids shortly before.</summary>
        public int Cursor { get; set; }
    }
}

/// <summary>Who made a change, before it is known whether its program is certain.</summary>
/// <param name="Order">Number of the event in the queue.</param>
/// <param name="Round">How often the queue had been read to its end.</param>
internal readonly record struct SeenActor(Actor Actor, ulong Order, long Round);
