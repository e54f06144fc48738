using System.Buffers.Binary;
using System.Numerics;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

/// <summary>A record in its file.</summary>
/// <remarks>
/// Little-endian: length of the body (4), CRC-32C of all that follows (4), sequence (8), time in Unix milliseconds (8), units (4),
/// number of losses (4), collected (8), epoch and sequence up to which nothing is needed any more (16). The body: for each loss its
/// hour (8), cause (4) and units (8); the payload.
/// </remarks>
internal static class RecordFormat
{
    public const int HeaderLength = 56;

    // Of the year 9999.
    private const long MaxMilliseconds = 253_402_300_799_999;

    private const int LossLength = 20;
    private const int ChecksumEnd = 8;

    public static int Length(SpoolRecord record) => HeaderLength + (LossLength * record.Losses.Count) + record.Payload.Length;

    /// <param name="done">Written with it, so that a loss it tells of and what is lost go together.</param>
    public static void Write(Span<byte> to, SpoolRecord record, HeadPosition done)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, Length(record) - HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], record.Position.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], record.Time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], record.Units);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], record.Losses.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], record.Collected);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], done.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], done.Sequence);
        var body = to[HeaderLength..];
        foreach (var loss in record.Losses)
        {
            BinaryPrimitives.WriteInt64LittleEndian(body, loss.Hour);
            BinaryPrimitives.WriteUInt32LittleEndian(body[8..], (uint)loss.Cause);
            BinaryPrimitives.WriteUInt64LittleEndian(body[12..], loss.Units);
            body = body[LossLength..];
        }

        record.Payload.CopyTo(body);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Checksum(to[ChecksumEnd..Length(record)]));
    }

    /// <summary>Of the whole record; unchecked.</summary>
    public static long ReadLength(ReadOnlySpan<byte> header) => HeaderLength + (long)BinaryPrimitives.ReadUInt32LittleEndian(header);

    /// <returns>Null when it is not as it was written.</returns>
    public static SpoolRecord? Read(ReadOnlySpan<byte> from, ulong epoch, bool withPayload, out HeadPosition done)
    {
        done = default;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) != Checksum(from[ChecksumEnd..]))
            return null;

        done = new HeadPosition(BinaryPrimitives.ReadUInt64LittleEndian(from[40..]), BinaryPrimitives.ReadUInt64LittleEndian(from[48..]));
        var losses = new SpoolLoss[BinaryPrimitives.ReadInt32LittleEndian(from[28..])];
        var body = from[HeaderLength..];
        for (var i = 0; i < losses.Length; i++, body = body[LossLength..])
        {
            losses[i] = new SpoolLoss(
                BinaryPrimitives.ReadInt64LittleEndian(body),
                (LossCause)BinaryPrimitives.ReadUInt32LittleEndian(body[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(body[12..]));
        }

        return new SpoolRecord
        {
            Position = new HeadPosition(epoch, BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
            Time = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(from[16..])),
            Units = BinaryPrimitives.ReadUInt32LittleEndian(from[24..]),
            Collected = BinaryPrimitives.ReadUInt64LittleEndian(from[32..]),
            Losses = losses,
            Payload = withPayload ? body.ToArray() : [],
        };
    }

    /// <summary>What the header of a record says that is not as it was written, or not all there.</summary>
    /// <returns>Null when it contradicts itself, or what came before.</returns>
    public static (ulong Sequence, Tally End)? ReadTorn(ReadOnlySpan<byte> header, ulong last, Tally before)
    {
        var sequence = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        var milliseconds = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        var units = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]);
        var collected = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        if (sequence != last + 1 || milliseconds is < 0 or > MaxMilliseconds)
            return null;
        var end = new Tally(milliseconds / 3_600_000, collected);
        return end.Hour >= before.Hour && end.Since(before) == units ? (sequence, end) : null;
    }

    /// <summary>CRC-32C (Castagnoli, RFC 3720), by the processor's instruction where it has one.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
