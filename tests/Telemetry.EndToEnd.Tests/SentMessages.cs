using System.Buffers.Binary;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Reads the messages out of what a gRPC client sent over HTTP/2 in plain text (RFC 9113, frames; gRPC over HTTP2, messages).</summary>
internal static class SentMessages
{
    private const int Preface = 24, FrameHeader = 9, MessageHeader = 5;
    private const byte Data = 0, Padded = 0x8;

    /// <returns>The messages of each stream, in the order the streams began.</returns>
    public static IEnumerable<IReadOnlyList<byte[]>> ByStream(byte[] connection)
    {
        var streams = new SortedDictionary<uint, List<byte>>();
        for (var at = Preface; at + FrameHeader <= connection.Length;)
        {
            var length = (connection[at] << 16) | BinaryPrimitives.ReadUInt16BigEndian(connection.AsSpan(at + 1));
            var (type, flags, stream) = (connection[at + 3], connection[at + 4], BinaryPrimitives.ReadUInt32BigEndian(connection.AsSpan(at + 5)));
            at += FrameHeader;
            if (type == Data && at + length <= connection.Length)
            {
                Assert.Equal(0, flags & Padded);
                if (!streams.TryGetValue(stream, out var bytes))
                    streams[stream] = bytes = [];
                bytes.AddRange(connection.AsSpan(at, length));
            }

            at += length;
        }

        return streams.Values.Select(bytes => Messages([.. bytes]));
    }

    private static List<byte[]> Messages(byte[] stream)
    {
        var messages = new List<byte[]>();
        for (var at = 0; at + MessageHeader <= stream.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(stream.AsSpan(at + 1));
            at += MessageHeader;
            if (at + length <= stream.Length)
                messages.Add(stream[at..(at + length)]);
            at += length;
        }

        return messages;
    }
}
