using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>What is mounted where: <c>mount␀MOUNTPOINT</c>, the path as one component; its value is source, type and options.</summary>
/// <remarks>
/// Seen by process 1: a hardened service has a mount namespace of its own, in which all is read-only. Of mounts on top of each other
/// the last one counts, which is the one that is seen. What is left out, and why, is said in <see cref="MountRules"/>.
/// </remarks>
internal sealed class MountScanner(string proc) : IScanner
{
    private static readonly EntryKey Prefix = EntryKey.Of("mount");

    public Scanner Identity { get; } = new(EntryKind.System, "mount", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        using var files = KernelFiles.Open(proc);
        if (files is null)
            return false;

        var errno = files.Read("1/mountinfo\0"u8, out var content);
        if (Errno.IsGone(errno))
            return false;
        if (errno != 0)
        {
            pass.Gap(Prefix, $"{proc}/1/mountinfo can't be read: {Errno.Text(errno)}");
            return true;
        }

        HandOut(Parse(content, pass), pass);
        return true;
    }

    private static List<Mount> Parse(ReadOnlySpan<byte> content, ScanPass pass)
    {
        var mounts = new List<Mount>();
        foreach (var line in content.Split((byte)'\n'))
        {
            if (content[line].IsEmpty)
                continue;
            if (Mount.Parse(content[line]) is { } mount)
                mounts.Add(mount);
            else
                pass.Gap(Prefix, "a line is not about a mount");
        }

        return mounts;
    }

    private static void HandOut(List<Mount> mounts, ScanPass pass)
    {
        var rules = new MountRules(mounts);
        var facts = new FactList();
        foreach (var mount in mounts)
        {
            if (rules.IsFact(mount))
                facts[Prefix.Child(mount.Point)] = new Fingerprint().WithValue(MountRules.Value(mount));
        }

        facts.HandOut(pass);
    }
}
