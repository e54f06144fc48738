using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Fingerprints the files below a root, within a scope.</summary>
/// <remarks>
/// One thread walks, two look (SHA-256 keeps two cores busy; more would only fight for the disk), the caller's emits. Batches go
/// round in a ring, so what is in memory does not grow with the tree.
/// </remarks>
internal sealed class FileScanner(string root, FileRules rules, TimeProvider clock) : IScanner
{
    private const int Workers = 2;

    // 4,096 names in flight: enough to go on beside one big file, few enough for the descriptors they hold.
    private const int Batches = 128;

    // A single file is looked at sooner without setting all that up.
    private const int FewParts = 32;

    public Scanner Identity { get; } = new(EntryKind.File, "file", 1, 0);

    /// <exception cref="ScanRootException">The root can't be opened.</exception>
    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        var errno = OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var descriptor);
        if (errno != 0)
            throw new ScanRootException(root, errno);

        rules.Names.Begin(everything: rules.Parts is null);
        if (rules.Parts is null)
            rules.Filesystems.Begin();
        foreach (var key in rules.LeftOut)
            pass.Gap(key, "the policy leaves it out");

        var directory = new DirectoryHandle(descriptor);
        var isFew = rules.Parts is { Count: <= FewParts } parts && !parts.Any(part => part.IsDeep);
        using var ring = new BatchRing(isFew ? 2 : Batches);
        var links = new HardLinks();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            Together.Run(
                stop,
                [
                    () => Emit(ring, pass, stop.Token),
                    () => Walk(ring, pass, directory, stop.Token),
                    .. Enumerable.Repeat(() => LookAtAll(ring, links, pass, stop.Token), isFew ? 1 : Workers),
                ]);
        }
        finally
        {
            directory.Release();
        }

        return true;
    }

    private void Walk(BatchRing ring, ScanPass pass, DirectoryHandle directory, CancellationToken cancellation)
    {
        new TreeWalker(rules, pass, ring, clock, cancellation).Walk(directory);
        ring.Complete();
    }

    private void LookAtAll(BatchRing ring, HardLinks links, ScanPass pass, CancellationToken cancellation)
    {
        using var look = new FileLook(rules.Secrets, links, pass.Progress, clock, rules.Wait) { Names = rules.Names };
        foreach (var batch in ring.ToLook(cancellation))
            batch.Look(look, cancellation);
    }

    private static void Emit(BatchRing ring, ScanPass pass, CancellationToken cancellation)
    {
        foreach (var batch in ring.ToEmit(cancellation))
        {
            batch.WaitUntilLooked(cancellation);
            foreach (var candidate in batch.Items)
            {
                if (candidate.HasValue)
                    pass.Entry(candidate.Key, candidate.Value, candidate.Stamp);
                else if (candidate.GapReason is { } reason)
                    pass.Gap(new EntryKey(candidate.Key), reason);
            }

            ring.Return(batch);
        }
    }
}

/// <summary>The directory to scan can't be opened; nothing can be said about what is in it.</summary>
internal sealed class ScanRootException(string root, int errno)
    : Exception($"The root '{root}' can't be opened: {Errno.Text(errno)}. Name a directory that this user can read.")
{
    public bool IsDenied => Errno.IsDenied(errno);
}
