using System.Buffers.Text;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary>Numbers in the kernel's tables.</summary>
internal static class KernelColumns
{
    /// <summary>Takes the next word of a line, which is a counter. The kernel's have 64 bits without a sign: what no field can hold is the most it can.</summary>
    public static bool TryCounter(ref ReadOnlySpan<byte> line, out long counter)
    {
        var word = Columns.NextWord(ref line);
        var isNumber = Utf8Parser.TryParse(word, out ulong number, out var length) && length == word.Length;
        counter = (long)Math.Min(number, long.MaxValue);
        return isNumber;
    }

    /// <summary>As many counters as there is room for.</summary>
    /// <returns>How many there were.</returns>
    public static int Counters(ReadOnlySpan<byte> line, Span<long> counters)
    {
        var count = 0;
        while (count < counters.Length && TryCounter(ref line, out counters[count]))
            count++;
        return count;
    }

    /// <summary>Looks names up in lines such as <c>MemTotal:  16318876 kB</c> or <c>ctxt 1234</c>: bytes, or numbers as they are.</summary>
    /// <param name="values">One for each name; what is not there stays as it is.</param>
    public static void Named(ReadOnlySpan<byte> text, ReadOnlySpan<byte[]> names, Span<long> values)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            var name = line[..Math.Max(0, line.IndexOfAny((byte)':', (byte)' '))];
            var index = IndexOf(names, name);
            if (index < 0)
                continue;
            line = line[(name.Length + 1)..];
            if (TryCounter(ref line, out var value))
                values[index] = line.SequenceEqual("kB"u8) ? value * 1024 : value;
        }
    }

    private static int IndexOf(ReadOnlySpan<byte[]> names, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (name.SequenceEqual(names[i]))
                return i;
        }

        return -1;
    }
}
