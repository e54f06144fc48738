using System.Globalization;

namespace Telemetry.Agent.Linux;

/// <summary>What a program of somebody else's may use, and as whom it runs: set before it starts, by setpriv(1), prlimit(1) and choom(1) of util-linux.</summary>
/// <param name="User">As whom, and with that user's group and no other; null: as this process's own. There is no way to more rights either way,
/// and no capability goes with it that this process may hand on.</param>
/// <param name="Memory">Bytes of heap and private mappings; what a runtime merely reserves does not count (Linux 4.7).</param>
/// <param name="Processes">Of that user on the whole machine.</param>
internal sealed record ChildLimits(ChildUser? User, long Memory, int Processes)
{
    private const int OpenFiles = 256;
    private const long FileSize = 16 << 20;

    private static readonly string? Setpriv = ChildProcess.Find("setpriv"), Prlimit = ChildProcess.Find("prlimit");

    // When memory is short it goes first, not the agent beside it.
    private static readonly string[] FirstToGo = ChildProcess.Find("choom") is { } choom ? [choom, "-n", "1000", "--"] : [];

    /// <summary>Without them nothing is run.</summary>
    public static bool ArePossible => Setpriv is not null && Prlimit is not null;

    /// <summary>What stands before the program and its arguments. The kernel ends it with this process.</summary>
    public IEnumerable<string> Before(TimeSpan timeout)
    {
        if (!ArePossible)
            throw new InvalidOperationException("setpriv and prlimit are missing.");

        // The signal comes last: a change of user takes it back.
        string[] user = User is null ? [] : ["--reuid", Text(User.Id), "--regid", Text(User.Group), "--clear-groups"];
        string[] processes = User is null ? [] : [$"--nproc={Text(Processes)}"];
        return
        [
            .. FirstToGo, Setpriv!, .. user, "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", "--pdeathsig", "KILL", "--",
            Prlimit!, $"--data={Text(Memory)}", $"--cpu={Text((long)Math.Ceiling(timeout.TotalSeconds) + 1)}", $"--fsize={Text(FileSize)}",
            $"--nofile={Text(OpenFiles)}", "--core=0", .. processes, "--",
        ];
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

internal sealed record ChildUser(uint Id, uint Group)
{
    /// <summary>From <c>/etc/passwd</c>: users that a directory service has are not looked up.</summary>
    /// <returns>Null when there is none of that name, or it is root under another name.</returns>
    public static ChildUser? Find(string name, string passwd = "/etc/passwd")
    {
        foreach (var line in File.ReadLines(passwd))
        {
            if (line.Split(':') is [var user, _, var id, var group, ..] && user == name
                && uint.TryParse(id, CultureInfo.InvariantCulture, out var userId) && uint.TryParse(group, CultureInfo.InvariantCulture, out var groupId))
            {
                return userId == 0 || groupId == 0 ? null : new ChildUser(userId, groupId);
            }
        }

        return null;
    }
}
