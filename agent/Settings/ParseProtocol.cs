using System.Buffers.Binary;
using System.Text;

namespace Telemetry.Agent.Settings;

/// <summary>What the agent and its helper say to each other over two pipes: numbers of four bytes, texts behind their length.</summary>
/// <remarks>
/// To the helper: lens and content of one file after the other. From it: <see cref="Ready"/>, then one answer a file, in the same
/// order. A tree is its nodes, parents first, each with the number of its parent (0 is the root). Limits hold for both sides.
/// </remarks>
internal static class ParseProtocol
{
    public const byte Ready = (byte)'R', Tree = (byte)'T', BadSyntax = (byte)'F', TooMuch = (byte)'M', NoLens = (byte)'L';

    /// <summary>Bytes of a file, and of one text of an answer.</summary>
    public const int MaxText = 1024 * 1024 + 1;

    /// <summary>Nodes of one file; comments count. Finding a node's place takes the library longer the more siblings it has.</summary>
    public const int MaxNodes = 50_000;

    /// <summary>Nodes above one another; two or three for a block or an object. What is made of a tree costs its depth again.</summary>
    public const int MaxDepth = 150;

    /// <summary>Bytes of all texts of one answer.</summary>
    public const int MaxAnswer = 4 * 1024 * 1024;

    public static void WriteNumber(Stream stream, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        stream.Write(bytes);
    }

    public static void WriteText(Stream stream, ReadOnlySpan<byte> text)
    {
        WriteNumber(stream, text.Length);
        stream.Write(text);
    }

    /// <exception cref="EndOfStreamException">The other side is gone.</exception>
    /// <exception cref="InvalidDataException">Not within the bounds.</exception>
    public static int ReadNumber(Stream stream, int least, int most)
    {
        Span<byte> bytes = stackalloc byte[4];
        stream.ReadExactly(bytes);
        var number = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return number >= least && number <= most ? number : throw new InvalidDataException("a number beyond its bounds");
    }

    public static byte[] ReadText(Stream stream, int length)
    {
        var text = new byte[length];
        stream.ReadExactly(text);
        return text;
    }

    /// <summary>The answer for one file, whatever the helper may have become.</summary>
    public static ParseAnswer ReadAnswer(Stream stream)
    {
        Span<byte> kind = stackalloc byte[1];
        stream.ReadExactly(kind);
        switch (kind[0])
        {
            case Tree:
                var tree = ReadTree(stream, out var depth);
                return depth <= MaxDepth ? new ParseAnswer(tree, null) : new ParseAnswer(null, "it is nested more deeply than is looked at");
            case BadSyntax:
                var line = ReadNumber(stream, 0, MaxText);
                return new ParseAnswer(null, line == 0 ? "it can't be parsed" : $"line {line} can't be parsed");
            case TooMuch:
                return new ParseAnswer(null, "it holds more settings than are looked at");
            case NoLens:
                throw new ParserMissingException();
            default:
                throw new InvalidDataException("an answer of no known kind");
        }
    }

    private static SettingNode ReadTree(Stream stream, out int depth)
    {
        depth = 0;
        var nodes = new SettingNode[ReadNumber(stream, 0, MaxNodes) + 1];
        var depths = new int[nodes.Length];
        nodes[0] = new SettingNode("", null);
        long bytes = 0;
        for (var i = 1; i < nodes.Length; i++)
        {
            var above = ReadNumber(stream, 0, i - 1);
            depths[i] = depths[above] + 1;
            depth = Math.Max(depth, depths[i]);
            var label = ReadText(stream, ReadNumber(stream, 0, MaxText));
            var valueLength = ReadNumber(stream, -1, MaxText);
            var value = valueLength < 0 ? null : ReadText(stream, valueLength);
            bytes += label.Length + (value?.Length ?? 0);
            if (bytes > MaxAnswer)
                throw new InvalidDataException("an answer longer than is asked for");
            nodes[i] = nodes[above].Add(new SettingNode(Encoding.Latin1.GetString(label), value is null ? null : Encoding.Latin1.GetString(value)));
        }

        return nodes[0];
    }
}

/// <param name="Trouble">Why there is no tree: for people, without a word of the file.</param>
internal sealed record ParseAnswer(SettingNode? Tree, string? Trouble)
{
    /// <summary>It was not tried.</summary>
    public static readonly ParseAnswer Postponed = new(null, "others before it took all the time there is for one look; it is parsed in the next");
}

/// <summary>libaugeas, or a lens, is not installed.</summary>
internal sealed class ParserMissingException : Exception;
