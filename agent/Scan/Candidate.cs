using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>One name the walker came by, on its way to become an entry. Used again and again.</summary>
internal sealed class Candidate
{
    private byte[] _key = new byte[256];
    private int _keyLength;
    private byte[] _value = new byte[96];
    private int _valueLength;

    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>Holds the name; null when there is nothing left to look at.</summary>
    public DirectoryHandle? Directory { get; private set; }

    /// <summary>Ends with 0x00.</summary>
    public ReadOnlyMemory<byte> Name { get; private set; }

    public FileStatus Status { get; private set; }

    public SecretClass Secret { get; private set; }

    /// <summary>When the status was taken: nanoseconds since 1970.</summary>
    public long TakenAt { get; private set; }

    /// <summary>Whether there is something to report; false when the name vanished, or is a gap.</summary>
    public bool HasValue { get; private set; }

    /// <summary>The encoded fingerprint.</summary>
    public ReadOnlySpan<byte> Value => _value.AsSpan(0, _valueLength);

    public FileStamp Stamp { get; private set; }

    /// <summary>Why nothing is known of it and what lies below.</summary>
    public string? GapReason { get; private set; }

    public void SetUnread(
        ReadOnlySpan<byte> key, DirectoryHandle directory, ReadOnlyMemory<byte> name, in FileStatus status, SecretClass secret, long takenAt)
    {
        Reset(key);
        Directory = directory.Share();
        Name = name;
        Status = status;
        Secret = secret;
        TakenAt = takenAt;
    }

    public void SetKnown(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, FileStamp stamp)
    {
        Reset(key);
        SetValue(value);
        Stamp = stamp;
    }

    /// <summary>Does the work the walker left to others.</summary>
    public void Look(FileLook look, CancellationToken cancellation)
    {
        if (Directory is not { } directory)
            return;

        var result = look.At(directory.Descriptor, Name, Status, Secret, cancellation);
        Release();
        GapReason = result.Reason;
        if (result.Fingerprint is { } seen)
            SetValue(seen.Encode());

        // A file that was looked at twice was seen later than the walker's time: no stamp, it is read again next time.
        if (result.Fingerprint is { State: EntryState.Stable } fingerprint && result.Status == Status)
            Stamp = look.Secrets.Mark(FileStamp.Of(Status, TakenAt), Secret, isKeyed: fingerprint.KeyedContent is not null);
    }

    public void Release()
    {
        Directory?.Release();
        Directory = null;
    }

    private void Reset(ReadOnlySpan<byte> key)
    {
        Copy(key, ref _key);
        _keyLength = key.Length;
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
