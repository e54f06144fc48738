using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <param name="TakenAt">Nanoseconds since 1970.</param>
internal readonly record struct SeenStatus(FileStatus Status, long TakenAt);

/// <summary>One name the walker came by, on its way to become an entry. Used again and again.</summary>
internal sealed class Candidate
{
    private byte[] _key = new byte[256];
    private int _keyLength;
    private byte[] _value = new byte[96];
    private int _valueLength;
    private DirectoryHandle? _directory;
    private ReadOnlyMemory<byte> _name;
    private SeenStatus? _seen;
    private bool _isFile, _hasPrevious;

    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>Whether there is something to report; false when the name vanished, or is a gap.</summary>
    public bool HasValue { get; private set; }

    /// <summary>The encoded fingerprint.</summary>
    public ReadOnlySpan<byte> Value => _value.AsSpan(0, _valueLength);

    public FileStamp Stamp { get; private set; }

    /// <summary>Why nothing is known of it and what lies below.</summary>
    public string? GapReason { get; private set; }

    /// <param name="directory">Holds the name.</param>
    /// <param name="name">Ends with 0x00.</param>
    /// <param name="seen">Its status; null: not taken yet, and it was no directory when its name was read.</param>
    /// <param name="isFile">Whether it is a regular file, as far as is known.</param>
    public void Set(ReadOnlySpan<byte> key, DirectoryHandle directory, ReadOnlyMemory<byte> name, SeenStatus? seen, bool isFile)
    {
        Reset(key);
        _directory = directory.Share();
        _name = name;
        _seen = seen;
        _isFile = isFile;
    }

    /// <summary>What the look before this one saw.</summary>
    public void SetPrevious(ReadOnlySpan<byte> value, FileStamp stamp)
    {
        SetValue(value);
        Stamp = stamp;
        _hasPrevious = true;
    }

    /// <summary>There is nothing left to look at.</summary>
    public void SetKnown(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Reset(key);
        SetValue(value);
    }

    /// <summary>Does the work the walker left to others.</summary>
    public void Look(FileLook look, CancellationToken cancellation)
    {
        if (_directory is not { } directory)
            return;

        var takenAt = _seen?.TakenAt ?? look.Now();
        var secret = _seen is { Status.Type: not FileType.File } ? SecretClass.None : look.Secrets.ClassOf(Key);
        var errno = 0;
        FileStatus? status = _seen?.Status;
        if (status is null && (_hasPrevious || !_isFile))
        {
            errno = FileStatus.Of(directory.Descriptor, _name.Span, out var taken);
            status = taken;
        }

        if (errno == 0 && status is { Type: FileType.File, Links: > 1 } linked)
            look.Names.Add(linked, Key);
        if (errno == 0 && _hasPrevious && look.Secrets.Proves(Stamp, FileStamp.Of(status!.Value), secret))
        {
            Release();
            return;
        }

        var result = errno != 0
            ? LookResult.OfError(errno, null)
            : look.At(directory.Descriptor, _name, status, secret, cancellation);
        if (status is null && result.Status is { Type: FileType.File, Links: > 1 } found)
            look.Names.Add(found, Key);
        Release();
        Take(result, look, secret, status, takenAt);
    }

    public void Release()
    {
        _directory?.Release();
        _directory = null;
    }

    private void Take(in LookResult result, FileLook look, SecretClass secret, FileStatus? first, long takenAt)
    {
        HasValue = false;
        Stamp = FileStamp.None;
        GapReason = result.Reason;

        // Its names were not read: nothing is known of what lies below.
        if (_seen is null && result.Fingerprint is { Type: FileType.Directory })
        {
            GapReason = "became a directory while the names beside it were read";
            look.Progress.AddRestless(new EntryKey(Key), isDeep: true);
            return;
        }

        if (result.Fingerprint is not { } seen)
            return;

        // A file that was looked at twice was seen later than the time that was noted: no stamp, it is read again next time.
        SetValue(seen.Encode());
        if (seen.State == EntryState.Unstable)
            look.Progress.AddRestless(new EntryKey(Key), isDeep: false);
        if (seen.IsStable && (first is null ? result.IsFirst : result.Status == first))
            Stamp = look.Secrets.Mark(FileStamp.Of(result.Status, takenAt), secret, isKeyed: seen.KeyedContent is not null);
    }

    private void Reset(ReadOnlySpan<byte> key)
    {
        Copy(key, ref _key);
        _keyLength = key.Length;
        _hasPrevious = false;
        HasValue = false;
        Stamp = FileStamp.None;
        GapReason = null;
    }

    private void SetValue(ReadOnlySpan<byte> value)
    {
        Copy(value, ref _value);
        _valueLength = value.Length;
        HasValue = true;
    }

    private static void Copy(ReadOnlySpan<byte> bytes, ref byte[] room)
    {
        if (bytes.Length > room.Length)
            room = new byte[Math.Max(bytes.Length, 2 * room.Length)];
        bytes.CopyTo(room);
    }
}
