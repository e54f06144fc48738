using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Asks the running systemd which units failed, through systemctl(1).</summary>
internal sealed class FailedUnits(string systemctl)
{
    private const int MaxOutput = 1024 * 1024;

    // A busy systemd answers late; a scan must not wait for one that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly string[] Arguments = ["list-units", "--state=failed", "--all", "--full", "--plain", "--no-legend", "--no-pager"];

    /// <summary>Null where no systemd runs this machine (sd_booted(3)).</summary>
    public static FailedUnits? OfThisMachine() =>
        Directory.Exists("/run/systemd/system") && ChildProcess.Find("systemctl") is { } systemctl ? new FailedUnits(systemctl) : null;

    /// <returns>Null, or why they are not known.</returns>
    public string? Ask(List<EntryKey> names, CancellationToken cancellation)
    {
        var output = new List<byte>();
        var end = ChildProcess.Run(systemctl, Arguments, Patience, MaxOutput, bytes => output.AddRange(bytes), cancellation);
        if (!end.IsSuccess)
            return end.Trouble;

        Parse([.. output], names);
        return null;
    }

    /// <summary>A line a unit, its name first; names have no spaces (systemd.unit(5)).</summary>
    internal static void Parse(ReadOnlySpan<byte> output, List<EntryKey> names)
    {
        foreach (var range in output.Split((byte)'\n'))
        {
            var line = output[range];
            var name = Columns.NextWord(ref line);
            if (name.Contains((byte)'.') && !name.Contains(EntryKey.Separator))
                names.Add(new EntryKey(name));
        }
    }
}
