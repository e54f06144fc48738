using System.Buffers.Binary;
using System.Reflection.Emit;

namespace Telemetry.Testing;

/// <summary>Finds the types, methods and fields that compiled code names (ECMA-335, partition III).</summary>
internal static class IlTokens
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    public static IEnumerable<int> In(byte[] il)
    {
        for (var position = 0; position < il.Length;)
        {
            var isLong = il[position] == 0xfe;
            var code = Codes[isLong ? (short)(0xfe00 | il[position + 1]) : il[position]];
            position += isLong ? 2 : 1;

            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                yield return BinaryPrimitives.ReadInt32LittleEndian(il.AsSpan(position));
            position += OperandLength(code.OperandType, il.AsSpan(position));
        }
    }

    private static int OperandLength(OperandType type, ReadOnlySpan<byte> operand) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BinaryPrimitives.ReadInt32LittleEndian(operand),
        _ => 4,
    };
}
