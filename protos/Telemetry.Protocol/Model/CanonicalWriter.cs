using System.Buffers;

namespace Telemetry.Protocol.Model;

/// <summary>Writes the one byte form of numbers and byte strings that the formats of this model are made of.</summary>
internal ref struct CanonicalWriter(IBufferWriter<byte> output)
{
    private readonly IBufferWriter<byte> _output = output;

    public readonly void Byte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    /// <summary>Seven bits a byte, least significant first, no leading zero groups (unsigned LEB128).</summary>
    public readonly void Number(ulong value)
    {
        var span = _output.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _output.Advance(length);
    }

    public readonly void Raw(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    /// <summary>A length, then the bytes.</summary>
    public readonly void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number((ulong)bytes.Length);
        Raw(bytes);
    }
}
