using System.Collections.Concurrent;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Checks;

/// <summary>Runs plug-ins: as a user who owns nothing, without a way to more rights, and with limits on all they use. For several threads at once.</summary>
internal sealed class CheckRunner(CheckOptions options)
{
    private const int MaxOutput = 64 * 1024;
    private const int MaxProcesses = 100;

    // By their checks.
    private readonly ConcurrentDictionary<string, UnendedChild> _unended = new(StringComparer.Ordinal);

    public CheckResult Run(DeclaredCheck check, CancellationToken cancellation)
    {
        if (!ChildLimits.ArePossible)
            return CheckResult.Unknown("it was not run: setpriv and prlimit, of package util-linux, are needed to run it without rights");

        ChildUser? user = null;
        if (Environment.IsPrivilegedProcess && (user = ChildUser.Find(options.User)) is null)
            return CheckResult.Unknown($"it was not run: {options.MissingUser}");

        // It would hang there as well, and so would one more at every interval.
        UnendedChild.ReapAll();
        if (_unended.TryGetValue(check.Id, out var before) && !before.IsOver)
            return CheckResult.Unknown($"it was not run: process {before.Process} of an earlier run was killed and does not end; it hangs in the kernel, as on a disk that does not answer");

        var output = new List<byte>();
        var end = ChildProcess.Run(
            check.Check.Command[0],
            [.. check.Check.Command.Skip(1)],
            check.Check.Timeout,
            MaxOutput,
            bytes => output.AddRange(bytes),
            cancellation,
            new ChildLimits(user, options.Memory, MaxProcesses));
        if (end.Unended is { } unended)
            _unended[check.Id] = unended;
        else
            _unended.TryRemove(check.Id, out _);
        return CheckResult.Of(end, output.ToArray());
    }
}
