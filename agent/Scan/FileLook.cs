using Telemetry.Agent.Linux;
using Telemetry.Agent.Scrub;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Makes the fingerprint of one name: reads it, and reads it again when it changed meanwhile.</summary>
/// <remarks>
/// A digest is reported only of bytes that were read as one state: the status before and after is the same, and no write was
/// under way when reading began.
/// </remarks>
/// <param name="wait">Whether files above 64 GiB are read too.</param>
/// <param name="budget">Of bytes to read in a time; null: as fast as it goes.</param>
internal sealed class FileLook(FileSecrets secrets, HardLinks links, ScanProgress progress, TimeProvider clock, bool wait, ReadBudget? budget = null) : IDisposable
{
    private const int Tries = 3;

    // Reading more would hold a scan for minutes: such a file is reported as pending unless somebody waits for it.
    private const ulong MaxSize = 64UL << 30;

    private readonly FileDigest _digest = new(secrets.Key, budget);

    public ScanProgress Progress => progress;

    public FileSecrets Secrets => secrets;

    public LinkedNames Names { get; init; } = new();

    public long Now() => clock.GetUtcNow().ToUnixNanoseconds();

    /// <param name="directory">Holds the name.</param>
    /// <param name="name">Ends with 0x00.</param>
    /// <param name="known">Its status; null: it is not known, and the name is likely a regular file's.</param>
    public LookResult At(int directory, ReadOnlyMemory<byte> name, FileStatus? known, SecretClass secret, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var status = known ?? default;
            var result = known is null
                ? OpenUnseen(directory, name.Span, secret, cancellation, out status)
                : Once(directory, name, status, secret, cancellation);
            if (result.Outcome != LookOutcome.Changed)
                return result with { Status = status, IsFirst = attempt == 1 };
            if (attempt == Tries)
                return new LookResult(LookOutcome.Seen, Unstable(status)) { Status = status };

            var errno = FileStatus.Of(directory, name.Span, out status);
            if (errno != 0)
                return LookResult.OfError(errno, null);
            known = status;
        }
    }

    /// <summary>Attributes a status gives by itself, and what else was read.</summary>
    public static Fingerprint Attributes(in FileStatus status, Digest? content = null, KeyedDigest? keyedContent = null, Digest? xattrs = null) => new()
    {
        Type = status.Type,
        Mode = status.Type == FileType.Symlink ? null : status.Mode,
        Uid = status.Uid,
        Gid = status.Gid,
        Size = status.Type == FileType.File ? status.Size : null,
        Device = status.Type is FileType.CharacterDevice or FileType.BlockDevice ? status.Node : null,
        Content = content,
        KeyedContent = keyedContent,
        Xattrs = xattrs,
    };

    public void Dispose() => _digest.Dispose();

    private LookResult Once(
        int directory, ReadOnlyMemory<byte> name, FileStatus status, SecretClass secret, CancellationToken cancellation) =>
        status.Type switch
        {
            FileType.File when status.Size > MaxSize && !wait =>
                LookResult.Seen(Attributes(status) with { State = EntryState.Pending }),
            FileType.File when status.Links > 1 => OpenLinked(directory, name, status, secret, cancellation),
            FileType.File => Open(directory, name.Span, status, secret, cancellation),
            _ => Other(directory, name.Span, status),
        };

    /// <summary>Saves asking for the status by name, which costs more than by descriptor. What can't be opened is asked after all.</summary>
    /// <param name="status">Of the descriptor.</param>
    private LookResult OpenUnseen(
        int directory, ReadOnlySpan<byte> name, SecretClass secret, CancellationToken cancellation, out FileStatus status)
    {
        status = default;
        if (OpenFile.Regular(directory, name, out var descriptor) != 0)
            return LookResult.Changed;

        try
        {
            // An unread fifo must not be read at all.
            var errno = FileStatus.Of(descriptor, out var opened);
            status = opened;
            if (errno != 0 || opened.Type != FileType.File)
                return LookResult.Changed;
            if (opened.Size > MaxSize && !wait)
                return LookResult.Seen(Attributes(opened) with { State = EntryState.Pending });
            return opened.Links > 1
                ? ReadLinked(descriptor, opened, secret, cancellation)
                : Read(descriptor, opened, secret, cancellation);
        }
        finally
        {
            OpenFile.Close(descriptor);
        }
    }

    // Apart, since what a lambda catches is made anew for each call of the method it stands in.
    private LookResult OpenLinked(int directory, ReadOnlyMemory<byte> name, FileStatus status, SecretClass secret, CancellationToken cancellation) =>
        links.Look(status, secret, () => Open(directory, name.Span, status, secret, cancellation));

    private LookResult ReadLinked(int descriptor, FileStatus status, SecretClass secret, CancellationToken cancellation) =>
        links.Look(status, secret, () => Read(descriptor, status, secret, cancellation));

    private LookResult Open(
        int directory, ReadOnlySpan<byte> name, in FileStatus status, SecretClass secret, CancellationToken cancellation)
    {
        var errno = OpenFile.Regular(directory, name, out var descriptor);
        if (errno is Errno.Loop or Errno.NoSuchDevice)
            return LookResult.Changed;
        if (errno != 0)
            return LookResult.OfError(errno, Attributes(status));

        try
        {
            // What was opened may be another file than was seen; an unread fifo must not be read at all.
            errno = FileStatus.Of(descriptor, out var opened);
            if (errno != 0)
                return LookResult.OfError(errno, Attributes(status));
            return opened.IsSameState(status) ? Read(descriptor, status, secret, cancellation) : LookResult.Changed;
        }
        finally
        {
            OpenFile.Close(descriptor);
        }
    }

    /// <param name="status">Of the descriptor, taken right after it was opened.</param>
    private LookResult Read(int descriptor, in FileStatus status, SecretClass secret, CancellationToken cancellation)
    {
        if (!FileAtRest.Is(descriptor, status, clock, cancellation))
            return LookResult.Changed;

        var errno = _digest.Read(descriptor, status, secret, progress, cancellation, out var isKeyed, out var content);
        if (errno != 0)
            return LookResult.OfError(errno, Attributes(status));

        errno = SecurityXattrs.Of(descriptor, out var xattrs);
        if (errno != 0)
            return LookResult.OfError(errno, Attributes(status));

        errno = FileStatus.Of(descriptor, out var after);
        return errno != 0 || !after.IsSameState(status)
            ? LookResult.Changed
            : LookResult.Seen(Attributes(status, isKeyed ? null : content, isKeyed ? new KeyedDigest(secrets.Key.Id, content) : null, xattrs));
    }

    /// <summary>What is never opened: links, fifos, sockets, device nodes; and directories, whose names are the walker's work.</summary>
    private static LookResult Other(int directory, ReadOnlySpan<byte> name, in FileStatus status)
    {
        var fingerprint = Attributes(status);
        if (status.Type == FileType.Symlink)
        {
            var unread = LinkTarget.Read(directory, name, out var target);
            if (unread == Errno.Invalid)
                return LookResult.Changed;
            if (unread != 0)
                return LookResult.OfError(unread, fingerprint);
            fingerprint = fingerprint.WithTarget(target);
        }

        var errno = SecurityXattrs.Of(directory, name, out var xattrs);
        if (errno != 0 && !Errno.IsGone(errno))
            return LookResult.OfError(errno, fingerprint);

        return FileStatus.Of(directory, name, out var after) != 0 || !IsSame(status, after)
            ? LookResult.Changed
            : LookResult.Seen(fingerprint with { Xattrs = xattrs });
    }

    /// <summary>A directory changes its times and size whenever a name in it does: no reason to look at it again.</summary>
    private static bool IsSame(in FileStatus before, in FileStatus after) =>
        before.Type == FileType.Directory
            ? before.IsSameState(after with { Modified = before.Modified, Changed = before.Changed, Size = before.Size })
            : after.IsSameState(before);

    /// <summary>Without its size: what keeps growing would be another entry at every look.</summary>
    private static Fingerprint Unstable(in FileStatus status) =>
        Attributes(status) with { State = EntryState.Unstable, Size = null };
}
