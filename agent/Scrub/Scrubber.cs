using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scrub;

/// <summary>Reads the files of one leaf again that by all their stamps are unchanged, and compares.</summary>
internal sealed class Scrubber(string root, FileSecrets secrets, ReadBudget budget, ScanProgress progress, TimeProvider clock)
{
    /// <returns>The files whose content is another than their stamps prove.</returns>
    public List<EntryKey> Read(StoredLeaf leaf, CancellationToken cancellation)
    {
        var different = new List<EntryKey>();
        if (OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var descriptor) != 0)
            return different;  // not mounted: the scan says so

        using var look = new FileLook(secrets, new HardLinks(), progress, clock, wait: false, budget);
        for (var i = 0; i < leaf.Node.Count; i++)
        {
            if (IsOther(look, descriptor, leaf, i, cancellation))
                different.Add(new EntryKey(leaf.Node.Key(i)));
        }

        OpenFile.Close(descriptor);
        return different;
    }

    private bool IsOther(FileLook look, int root, StoredLeaf leaf, int index, CancellationToken cancellation)
    {
        var stored = Fingerprint.Decode(leaf.Node.Value(index));
        if (stored is not { State: EntryState.Stable, Type: FileType.File })
            return false;

        var key = new EntryKey(leaf.Node.Key(index));
        var errno = PathFromRoot.OpenParent(root, key, out var parent, out var name);
        try
        {
            if (errno != 0)
                return false;

            // What changed openly is the next scan's; a scrub is for what did so in secret.
            var secret = secrets.ClassOf(key.Bytes);
            if (FileStatus.Of(parent, name, out var status) != 0 || !secrets.Proves(leaf.Stamp(index), FileStamp.Of(status), secret))
                return false;

            var seen = look.At(parent, name, status, secret, cancellation);
            return seen is { Outcome: LookOutcome.Seen, Fingerprint: { IsStable: true } fingerprint } && seen.Status == status && fingerprint != stored;
        }
        finally
        {
            PathFromRoot.CloseIfOpen(parent);
        }
    }
}
