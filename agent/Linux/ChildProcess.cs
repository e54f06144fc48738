using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <param name="bytes">A piece of what the child wrote to standard output, in order; valid during the call.</param>
internal delegate void ChildOutput(ReadOnlySpan<byte> bytes);

/// <summary>Runs a program to its end, in the calling thread: with limits, without a shell, without a surrounding it could read its mood from.</summary>
/// <remarks>
/// The child is the first of a session of its own; when it ends, or must end, nobody of its process group is left, and it does not
/// outlive this program. Its standard input is empty, its environment is PATH and LC_ALL=C, all signals are as a new process has
/// them, and it inherits no other descriptor (this program opens all of them to be closed on exec).
/// </remarks>
internal static unsafe class ChildProcess
{
    private const int MaxError = 4096;
    private const int BufferLength = 64 * 1024;

    // Of a child; a rpm database of a large machine is 300 MB, which rpm maps.
    private const ulong MaxMemory = 1UL << 30, MaxFileSize = 256UL << 20;
    private const int CpuSeconds = 0, FileSize = 1, AddressSpace = 9;  // RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_AS

    // A token is looked at so often.
    private const int LongestPollMilliseconds = 100;

    // What SIGKILL can't end hangs in the kernel: it is waited for no longer, and reaped when it has ended (UnendedChild).
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);

    private static readonly string[] Folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    private static readonly string[] ChildEnvironment = ["PATH=" + string.Join(':', Folders), "LC_ALL=C"];

    // setpriv(1) of util-linux has the kernel end what follows when this program ends, however it does. posix_spawn can't ask for that.
    private static readonly string[] Tethered = Find("setpriv") is { } tether ? [tether, "--pdeathsig", "KILL", "--"] : [];

    private const int CloseOnExec = 0x80000;                    // O_CLOEXEC
    private const int Executable = 1;                           // X_OK
    private const short Readable = 1;                           // POLLIN
    private const int KillSignal = 9;                           // SIGKILL
    private const int ByPid = 1;                                // P_PID
    private const int NoHang = 1, HasExited = 4, NoReap = 0x1000000;  // WNOHANG, WEXITED, WNOWAIT
    private const short SetDefaultSignals = 0x04, SetSignalMask = 0x08, NewSession = 0x80;

    /// <summary>The path of a program in the system's own folders, or null.</summary>
    public static string? Find(string name) =>
        Folders.Select(folder => $"{folder}/{name}").FirstOrDefault(File.Exists);

    /// <param name="program">An absolute path; see <see cref="Find"/>.</param>
    /// <param name="arguments">Without the program's name.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="maxOutput">Bytes of standard output; more, and the child is killed.</param>
    /// <param name="limits">Null: those of the system's own programs, as who this process is.</param>
    /// <exception cref="OperationCanceledException">The child was killed.</exception>
    public static ChildEnd Run(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, long maxOutput, ChildOutput output, CancellationToken cancellation, ChildLimits? limits = null)
    {
        cancellation.ThrowIfCancellationRequested();
        UnendedChild.ReapAll();
        var started = Stopwatch.GetTimestamp();
        var errno = Start(program, arguments, timeout, limits, out var process, out var standardOutput, out var standardError);
        if (errno != 0)
            return new ChildEnd(program, ChildOutcome.NotStarted, errno, []);

        var error = new List<byte>();
        var isReaped = false;
        try
        {
            var forced = Read(standardOutput, standardError, maxOutput, output, error, IsLate, cancellation)
                ?? (WaitForEnd(process, IsLate, cancellation) ? null : ChildOutcome.TimedOut);
            isReaped = true;
            var (status, unended) = Reap(process);
            if (forced is { } outcome)
                return new ChildEnd(program, outcome, 0, [.. error], unended);
            return (status & 0x7f) == 0
                ? new ChildEnd(program, ChildOutcome.Exited, (status >> 8) & 0xff, [.. error])
                : new ChildEnd(program, ChildOutcome.Signalled, status & 0x7f, [.. error]);
        }
        finally
        {
            if (!isReaped)
                Reap(process);
            OpenFile.Close(standardOutput);
            OpenFile.Close(standardError);
        }

        // The kernel's own waiting can't be faked, so neither can this clock.
        bool IsLate() => Stopwatch.GetElapsedTime(started) >= timeout;
    }

    /// <summary>Until both pipes are closed.</summary>
    /// <returns>Null, or why the child must end.</returns>
    private static ChildOutcome? Read(
        int standardOutput, int standardError, long maxOutput, ChildOutput output, List<byte> error, Func<bool> isLate, CancellationToken cancellation)
    {
        var buffer = new byte[BufferLength];
        var entries = stackalloc LibC.PollEntry[2];
        entries[0] = new LibC.PollEntry { Descriptor = standardOutput, Wanted = Readable };
        entries[1] = new LibC.PollEntry { Descriptor = standardError, Wanted = Readable };
        while (entries[0].Descriptor >= 0 || entries[1].Descriptor >= 0)
        {
            cancellation.ThrowIfCancellationRequested();
            if (isLate())
                return ChildOutcome.TimedOut;
            if (LibC.Poll(entries, 2, LongestPollMilliseconds) <= 0)
                continue;

            for (var i = 0; i < 2; i++)
            {
                if (entries[i].Found == 0)
                    continue;
                var read = OpenFile.Read(entries[i].Descriptor, buffer);
                if (read <= 0)
                {
                    entries[i].Descriptor = -1;
                    entries[i].Found = 0;
                    continue;
                }

                if (i == 1)
                {
                    error.AddRange(buffer.AsSpan(0, Math.Min(read, MaxError - error.Count)));
                    continue;
                }

                maxOutput -= read;
                if (maxOutput < 0)
                    return ChildOutcome.TooMuchOutput;
                output(buffer.AsSpan(0, read));
            }
        }

        return null;
    }

    /// <summary>A child may close its pipes and live on. It is not reaped here: until then its number is nobody else's.</summary>
    private static bool WaitForEnd(int process, Func<bool> isLate, CancellationToken cancellation)
    {
        for (var pause = 1; !HasEnded(process); pause = Math.Min(2 * pause, LongestPollMilliseconds))
        {
            cancellation.ThrowIfCancellationRequested();
            if (isLate())
                return false;
            _ = LibC.Poll(null, 0, pause);
        }

        return true;
    }

    /// <summary>Ends whoever is left of the group, and takes the child's status.</summary>
    private static (int Status, UnendedChild? Unended) Reap(int process)
    {
        _ = LibC.Kill(-process, KillSignal);
        var killed = Stopwatch.GetTimestamp();
        WaitForEnd(process, () => Stopwatch.GetElapsedTime(killed) >= KillPatience, CancellationToken.None);
        int status;
        var reaped = LibC.WaitPid(process, &status, NoHang);
        return reaped == process ? (status, null) : (KillSignal, reaped == 0 ? UnendedChild.Keep(process) : null);
    }

    private static bool HasEnded(int process)
    {
        // siginfo_t has 128 bytes; the first number is the signal, once there is news. ECHILD: somebody else reaped it.
        var information = stackalloc byte[128];
        return LibC.WaitId(ByPid, process, information, HasExited | NoHang | NoReap) != 0 || *(int*)information != 0;
    }

    private static int Start(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, ChildLimits? limits, out int process, out int standardOutput, out int standardError)
    {
        process = standardOutput = standardError = -1;
        var pipes = stackalloc int[4] { -1, -1, -1, -1 };
        var errno = LibC.Pipe(pipes, CloseOnExec) == 0 && LibC.Pipe(pipes + 2, CloseOnExec) == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (errno == 0)
            errno = MayExecute(program);
        if (errno == 0)
            errno = Spawn([.. limits is null ? Tethered : limits.Before(timeout), program, .. arguments], pipes[1], pipes[3], out process);

        for (var i = 0; i < 4; i++)
        {
            if (pipes[i] >= 0 && (errno != 0 || i % 2 == 1))
                OpenFile.Close(pipes[i]);
        }

        if (errno != 0)
            return errno;

        (standardOutput, standardError) = (pipes[0], pipes[2]);
        if (limits is not null)
            return 0;
        Limit(process, AddressSpace, MaxMemory);
        Limit(process, FileSize, MaxFileSize);
        Limit(process, CpuSeconds, (ulong)Math.Ceiling(timeout.TotalSeconds) + 1);
        return 0;
    }

    /// <summary>What it asks for may be what somebody else's database makes it ask for. Best effort: it may have ended already.</summary>
    private static void Limit(int process, int resource, ulong most)
    {
        var limit = new LibC.ResourceLimit { Soft = most, Hard = most };
        _ = LibC.SetLimitOf(process, resource, &limit, null);
    }

    private static int MayExecute(string program)
    {
        var path = (byte*)Marshal.StringToCoTaskMemUTF8(program);
        var errno = LibC.Access(path, Executable) == 0 ? 0 : Marshal.GetLastPInvokeError();
        Marshal.FreeCoTaskMem((nint)path);
        return errno;
    }

    private static int Spawn(IReadOnlyList<string> command, int output, int error, out int process)
    {
        process = -1;

        // Both structures have room for any libc's; all signals is all bits. The preparations fail for lack of memory only.
        var actions = stackalloc byte[512];
        var attributes = stackalloc byte[1024];
        var signals = stackalloc byte[128];
        var errno = LibC.SpawnActionsInit(actions) | LibC.SpawnAttributesInit(attributes);
        byte*[] texts = [.. Texts(command), .. Texts(ChildEnvironment)];
        try
        {
            new Span<byte>(signals, 128).Fill(0xff);
            errno |= LibC.SpawnAttributesDefaultSignals(attributes, signals);
            new Span<byte>(signals, 128).Clear();
            errno |= LibC.SpawnAttributesSignalMask(attributes, signals);
            errno |= LibC.SpawnAttributesFlags(attributes, SetDefaultSignals | SetSignalMask | NewSession);
            fixed (byte* nothing = "/dev/null\0"u8)
                errno |= LibC.SpawnActionsOpen(actions, 0, nothing, 0, 0);
            errno |= LibC.SpawnActionsDuplicate(actions, output, 1) | LibC.SpawnActionsDuplicate(actions, error, 2);
            if (errno != 0)
                return errno;

            int started;
            fixed (byte** text = texts)
                errno = LibC.Spawn(&started, text[0], actions, attributes, text, text + command.Count + 1);
            process = started;
            return errno;
        }
        finally
        {
            foreach (var text in texts)
                Marshal.FreeCoTaskMem((nint)text);
            _ = LibC.SpawnAttributesDestroy(attributes);
            _ = LibC.SpawnActionsDestroy(actions);
        }
    }

    /// <summary>As C wants them, with the closing null pointer.</summary>
    private static byte*[] Texts(IReadOnlyList<string> texts)
    {
        var pointers = new byte*[texts.Count + 1];
        for (var i = 0; i < texts.Count; i++)
            pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        return pointers;
    }
}
