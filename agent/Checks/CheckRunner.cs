using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Checks;

/// <summary>Runs plug-ins: as a user who owns nothing, without a way to more rights, and with limits on all they use.</summary>
internal sealed class CheckRunner(CheckOptions options)
{
    private const int MaxOutput = 64 * 1024;
    private const int MaxProcesses = 100;

    public CheckResult Run(DeclaredCheck check, CancellationToken cancellation)
    {
        if (!ChildLimits.ArePossible)
            return CheckResult.Unknown("it was not run: setpriv and prlimit, of package util-linux, are needed to run it without rights");

        ChildUser? user = null;
        if (Environment.IsPrivilegedProcess && (user = ChildUser.Find(options.User)) is null)
            return CheckResult.Unknown($"it was not run: /etc/passwd has no user '{options.User}' without root's rights; set checks.user");

        var output = new List<byte>();
        var end = ChildProcess.Run(
            check.Check.Command[0],
            [.. check.Check.Command.Skip(1)],
            check.Check.Timeout,
            MaxOutput,
            bytes => output.AddRange(bytes),
            cancellation,
            new ChildLimits(user, options.Memory, MaxProcesses));
        return CheckResult.Of(end, output.ToArray());
    }
}
