using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>One name the walker came by, on its way to become an entry. Used again and again.</summary>
internal sealed class Candidate
{
    private byte[] _key = new byte[256];
    private int _keyLength;

    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>Holds the name; null when there is nothing left to look at.</summary>
    public DirectoryHandle? Directory { get; private set; }

    /// <summary>Ends with 0x00.</summary>
    public ReadOnlyMemory<byte> Name { get; private set; }

    public FileStatus Status { get; private set; }

    /// <summary>When the status was taken: nanoseconds since 1970.</summary>
    public long TakenAt { get; private set; }

    /// <summary>The encoded fingerprint; null when the name vanished, or is a gap.</summary>
    public byte[]? Value { get; private set; }

    public FileStamp Stamp { get; private set; }

    /// <summary>Why nothing is known of it and what lies below.</summary>
    public string? GapReason { get; private set; }

    public void SetUnread(ReadOnlySpan<byte> key, DirectoryHandle directory, ReadOnlyMemory<byte> name, in FileStatus status, long takenAt)
    {
        Reset(key);
        Directory = directory.Share();
        Name = name;
        Status = status;
        TakenAt = takenAt;
    }

    public void SetKnown(ReadOnlySpan<byte> key, byte[] value, FileStamp stamp)
    {
        Reset(key);
        Value = value;
        Stamp = stamp;
    }

    /// <summary>Does the work the walker left to others.</summary>
    public void Look(FileLook look, CancellationToken cancellation)
    {
        if (Directory is not { } directory)
            return;

        var result = look.At(directory.Descriptor, Name.Span, Status, cancellation);
        Release();
        GapReason = result.Reason;
        Value = result.Fingerprint?.Encode();

        // A file that was looked at twice was seen later than the walker's time: no stamp, it is read again next time.
        if (result.Fingerprint is { State: EntryState.Stable } && result.Status == Status)
            Stamp = FileStamp.Of(Status, TakenAt);
    }

    public void Release()
    {
        Directory?.Release();
        Directory = null;
    }

    private void Reset(ReadOnlySpan<byte> key)
    {
        if (key.Length > _key.Length)
            _key = new byte[Math.Max(key.Length, 2 * _key.Length)];
        key.CopyTo(_key);
        _keyLength = key.Length;
        Value = null;
        Stamp = FileStamp.None;
        GapReason = null;
    }
}
