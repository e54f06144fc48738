using System.Buffers;
using System.Buffers.Binary;

namespace Telemetry.Protocol.Model;

/// <remarks>
/// The format: one byte of state, then attributes in strictly rising order of their tag. A tag is one byte; an even tag is
/// followed by a number, an odd one by a length and that many bytes. A later minor version may add tags from 0x40 on, which
/// this one keeps as they came; one below that is known or wrong.
/// </remarks>
public sealed partial record Fingerprint
{
    private enum Tag : byte
    {
        // Number: even. Bytes: odd. Part of the format: never reuse one.
        Type = 0x02,
        Mode = 0x04,
        Uid = 0x06,
        Gid = 0x08,
        Size = 0x0a,
        Content = 0x0b,
        KeyedContent = 0x0d,
        Target = 0x0f,
        TargetDigest = 0x11,
        Device = 0x12,
        Xattrs = 0x13,
        Version = 0x21,
        Status = 0x23,
        Value = 0x31,
        ValueDigest = 0x33,
        KeyedValue = 0x35,
        FirstUnknown = 0x40,
    }

    private const uint MaxMode = 0xfff;

    private const int KeyedDigestLength = sizeof(ulong) + Model.Digest.Size;

    private Fingerprint(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes);
        State = AsState(reader.Byte());

        var previous = 0;
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            var tag = ReadAttribute(ref reader, ref previous, out var number, out var value);
            switch (tag)
            {
                case Tag.Type: Type = AsType(number); break;
                case Tag.Mode: Mode = AsNumber(number, MaxMode); break;
                case Tag.Uid: Uid = AsNumber(number, uint.MaxValue); break;
                case Tag.Gid: Gid = AsNumber(number, uint.MaxValue); break;
                case Tag.Size: Size = number; break;
                case Tag.Content: Content = AsDigest(value); break;
                case Tag.KeyedContent: KeyedContent = AsKeyedDigest(value); break;
                case Tag.Target: Target = AsText(value); break;
                case Tag.TargetDigest: TargetDigest = AsDigest(value); break;
                case Tag.Device: Device = number; break;
                case Tag.Xattrs: Xattrs = AsDigest(value); break;
                case Tag.Version: Version = AsText(value); break;
                case Tag.Status: Status = AsText(value); break;
                case Tag.Value: Value = AsText(value); break;
                case Tag.ValueDigest: ValueDigest = AsDigest(value); break;
                case Tag.KeyedValue: KeyedValue = AsKeyedDigest(value); break;

                case >= Tag.FirstUnknown:
                    while (!reader.AtEnd)
                        ReadAttribute(ref reader, ref previous, out _, out _);
                    Unknown = new ByteText(bytes[start..]);
                    return;

                default:
                    throw new NotCanonicalException($"attribute {(byte)tag:x2}, which no version has");
            }
        }
    }

    /// <exception cref="InvalidOperationException">An attribute has a value the format has no room for.</exception>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(96);
        EncodeTo(output);
        return output.WrittenCount <= MaxLength
            ? output.WrittenSpan.ToArray()
            : throw new InvalidOperationException($"A fingerprint of {output.WrittenCount} bytes; {MaxLength} is the limit.");
    }

    /// <exception cref="NotCanonicalException">The bytes are not the encoding of any fingerprint.</exception>
    public static Fingerprint Decode(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= MaxLength
            ? new Fingerprint(bytes)
            : throw new NotCanonicalException($"a fingerprint of {bytes.Length} bytes");

    private void EncodeTo(ArrayBufferWriter<byte> output)
    {
        if (Mode > MaxMode)
            throw new InvalidOperationException($"A mode of {Mode}; {MaxMode} is the limit.");

        var writer = new CanonicalWriter(output);
        writer.Byte((byte)State);
        Number(writer, Tag.Type, (ulong?)Type);
        Number(writer, Tag.Mode, Mode);
        Number(writer, Tag.Uid, Uid);
        Number(writer, Tag.Gid, Gid);
        Number(writer, Tag.Size, Size);
        Bytes(writer, Tag.Content, Content);
        Bytes(writer, Tag.KeyedContent, KeyedContent);
        Bytes(writer, Tag.Target, Target);
        Bytes(writer, Tag.TargetDigest, TargetDigest);
        Number(writer, Tag.Device, Device);
        Bytes(writer, Tag.Xattrs, Xattrs);
        Bytes(writer, Tag.Version, Version);
        Bytes(writer, Tag.Status, Status);
        Bytes(writer, Tag.Value, Value);
        Bytes(writer, Tag.ValueDigest, ValueDigest);
        Bytes(writer, Tag.KeyedValue, KeyedValue);
        if (Unknown is { } unknown)
            writer.Raw(unknown.Bytes);
    }

    private static Tag ReadAttribute(
        ref CanonicalReader reader, ref int previous, out ulong number, out ReadOnlySpan<byte> value)
    {
        var tag = reader.Byte();
        if (tag <= previous)
            throw new NotCanonicalException("attributes out of order");

        previous = tag;
        var isNumber = tag % 2 == 0;
        number = isNumber ? reader.Number() : 0;
        value = isNumber ? [] : reader.Raw(reader.Count(MaxLength));
        return (Tag)tag;
    }

    private static EntryState AsState(byte value) =>
        value <= (byte)EntryState.Pending ? (EntryState)value : throw new NotCanonicalException($"entry state {value}");

    private static FileType AsType(ulong value) =>
        value is >= (byte)FileType.File and <= (byte)FileType.Socket
            ? (FileType)value
            : throw new NotCanonicalException($"file type {value}");

    private static uint AsNumber(ulong value, uint limit) =>
        value <= limit ? (uint)value : throw new NotCanonicalException($"a number of {value} where {limit} is the limit");

    private static Digest AsDigest(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Model.Digest.Size ? new Digest(bytes) : throw new NotCanonicalException("a digest of wrong length");

    private static KeyedDigest AsKeyedDigest(ReadOnlySpan<byte> bytes) =>
        bytes.Length == KeyedDigestLength
            ? new KeyedDigest(BinaryPrimitives.ReadUInt64BigEndian(bytes), new Digest(bytes[sizeof(ulong)..]))
            : throw new NotCanonicalException("a keyed digest of wrong length");

    private static ByteText AsText(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= MaxTextLength ? new ByteText(bytes) : throw new NotCanonicalException("a text that should be a digest");

    private static void Number(CanonicalWriter writer, Tag tag, ulong? value)
    {
        if (value is not { } number)
            return;
        writer.Byte((byte)tag);
        writer.Number(number);
    }

    private static void Bytes(CanonicalWriter writer, Tag tag, Digest? value)
    {
        if (value is not { } digest)
            return;
        Span<byte> bytes = stackalloc byte[Model.Digest.Size];
        digest.CopyTo(bytes);
        writer.Byte((byte)tag);
        writer.Bytes(bytes);
    }

    private static void Bytes(CanonicalWriter writer, Tag tag, KeyedDigest? value)
    {
        if (value is not { } keyed)
            return;
        Span<byte> bytes = stackalloc byte[KeyedDigestLength];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, keyed.KeyId);
        keyed.Digest.CopyTo(bytes[sizeof(ulong)..]);
        writer.Byte((byte)tag);
        writer.Bytes(bytes);
    }

    private static void Bytes(CanonicalWriter writer, Tag tag, ByteText? value)
    {
        if (value is not { } text)
            return;
        if (text.Bytes.Length > MaxTextLength)
            throw new InvalidOperationException($"A text of {text.Bytes.Length} bytes; {MaxTextLength} is the limit.");
        writer.Byte((byte)tag);
        writer.Bytes(text.Bytes);
    }
}
