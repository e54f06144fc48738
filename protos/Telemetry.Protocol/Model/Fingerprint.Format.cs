using System.Buffers;
using System.Buffers.Binary;

namespace Telemetry.Protocol.Model;

/// <remarks>
/// The format: one byte of state, then attributes in strictly rising order of their tag. A tag is one byte; an even tag is
/// followed by a number, an odd one by a length and that many bytes. A tag this version does not know is kept, not refused.
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

    private const int KeyedDigestLength = sizeof(ulong) + Model.Digest.Size;

    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(96);
        EncodeTo(output);
        return output.WrittenSpan.ToArray();
    }

    public void EncodeTo(IBufferWriter<byte> output)
    {
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

    /// <exception cref="NotCanonicalException">The bytes are not the encoding of any fingerprint.</exception>
    public static Fingerprint Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength)
            throw new NotCanonicalException($"a fingerprint of {bytes.Length} bytes");

        var reader = new CanonicalReader(bytes);
        var state = reader.Byte();
        if (state > (byte)EntryState.Pending)
            throw new NotCanonicalException($"entry state {state}");

        var fingerprint = new Fingerprint { State = (EntryState)state };
        var previous = 0;
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            var tag = reader.Byte();
            if (tag <= previous)
                throw new NotCanonicalException("attributes out of order");
            previous = tag;

            var isNumber = tag % 2 == 0;
            var number = isNumber ? reader.Number() : 0;
            var value = isNumber ? [] : reader.Raw(reader.Count(MaxLength));
            if (tag >= (byte)Tag.FirstUnknown)
                return fingerprint with { Unknown = KeepUnknown(bytes, start, ref reader, previous) };

            fingerprint = fingerprint.With((Tag)tag, number, value);
        }

        return fingerprint;
    }

    private static ByteText KeepUnknown(ReadOnlySpan<byte> bytes, int start, ref CanonicalReader reader, int previous)
    {
        while (!reader.AtEnd)
        {
            var tag = reader.Byte();
            if (tag <= previous)
                throw new NotCanonicalException("attributes out of order");
            previous = tag;
            if (tag % 2 == 0)
                reader.Number();
            else
                reader.Raw(reader.Count(MaxLength));
        }

        return new ByteText(bytes[start..]);
    }

    private Fingerprint With(Tag tag, ulong number, ReadOnlySpan<byte> bytes) => tag switch
    {
        Tag.Type when number is >= (byte)FileType.File and <= (byte)FileType.Socket => this with { Type = (FileType)number },
        Tag.Mode when number <= 0xfff => this with { Mode = (uint)number },
        Tag.Uid when number <= uint.MaxValue => this with { Uid = (uint)number },
        Tag.Gid when number <= uint.MaxValue => this with { Gid = (uint)number },
        Tag.Size => this with { Size = number },
        Tag.Content => this with { Content = AsDigest(bytes) },
        Tag.KeyedContent => this with { KeyedContent = AsKeyedDigest(bytes) },
        Tag.Target => this with { Target = AsText(bytes) },
        Tag.TargetDigest => this with { TargetDigest = AsDigest(bytes) },
        Tag.Device => this with { Device = number },
        Tag.Xattrs => this with { Xattrs = AsDigest(bytes) },
        Tag.Version => this with { Version = AsText(bytes) },
        Tag.Status => this with { Status = AsText(bytes) },
        Tag.Value => this with { Value = AsText(bytes) },
        Tag.ValueDigest => this with { ValueDigest = AsDigest(bytes) },
        Tag.KeyedValue => this with { KeyedValue = AsKeyedDigest(bytes) },
        _ => throw new NotCanonicalException($"attribute {(byte)tag:x2} with a value it cannot have"),
    };

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
        writer.Byte((byte)tag);
        writer.Bytes(text.Bytes);
    }
}
