using System.Runtime.InteropServices;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Settings;

/// <summary>The helper's side: parses one file after the other with libaugeas, in memory. It opens no file but lenses.</summary>
internal static unsafe class ParseHelper
{
    // Together with the agent it stays below MemoryHigh of the service.
    private const ulong MaxMemory = 128UL << 20;
    private const ulong MaxCpuSeconds = 20;

    public static void Run(Stream input, Stream output)
    {
        Confinement.Enter(MaxMemory, MaxCpuSeconds);

        using var buffered = new BufferedStream(output, 64 * 1024);
        var handle = Init();
        output.Write([ParseProtocol.Ready]);
        for (var isFirst = true; Next(input) is var (lens, content); isFirst = false)
        {
            if (handle == 0)
                buffered.WriteByte(ParseProtocol.NoLens);
            else
                Parse(handle, lens, content, isFirst, buffered);
            buffered.Flush();
        }

        if (handle != 0)
            LibAugeas.Close(handle);
    }

    /// <returns>0 when there is no such library.</returns>
    private static nint Init()
    {
        try
        {
            return LibAugeas.Init(null, null, LibAugeas.LoadNothing);
        }
        catch (DllNotFoundException)
        {
            return 0;
        }
    }

    /// <returns>Both ended by 0x00; null at the end.</returns>
    private static (byte[] Lens, byte[] Content)? Next(Stream input)
    {
        try
        {
            var lens = ParseProtocol.ReadText(input, ParseProtocol.ReadNumber(input, 1, 100));
            var content = ParseProtocol.ReadText(input, ParseProtocol.ReadNumber(input, 1, ParseProtocol.MaxText));
            return ([.. lens, 0], [.. content, 0]);
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    /// <exception cref="InsufficientMemoryException">So it ends, and the file gets a process that holds no lenses of the files before it.</exception>
    private static void Parse(nint handle, byte[] lens, byte[] content, bool isFirst, Stream output)
    {
        fixed (byte* lensName = lens, text = content, node = "/in\0"u8, tree = "/out\0"u8, variable = "nodes\0"u8, all = "/out//*\0"u8)
        {
            if (LibAugeas.Set(handle, node, text) < 0)
                throw new InsufficientMemoryException();
            if (LibAugeas.TextStore(handle, lensName, node, tree) < 0)
                WriteError(handle, isFirst, output);
            else
                WriteTree(handle, variable, LibAugeas.DefineVariable(handle, variable, all), output);

            _ = LibAugeas.Remove(handle, node);
            _ = LibAugeas.Remove(handle, tree);
        }
    }

    /// <summary>The library's own message may repeat the file's content: only the line is told.</summary>
    private static void WriteError(nint handle, bool isFirst, Stream output)
    {
        var code = LibAugeas.Error(handle);
        fixed (byte* error = "/augeas/text/out/error\0"u8, line = "/augeas/text/out/error/line\0"u8)
        {
            byte* value = null;
            if (LibAugeas.Get(handle, error, &value) != 1)
            {
                // No error of the file's: the lens is missing, or memory is not enough. A lens that can't be loaded for that is missing, too.
                if (code != LibAugeas.NoLens || !isFirst)
                    throw new InsufficientMemoryException();
                output.WriteByte(ParseProtocol.NoLens);
                return;
            }

            output.WriteByte(ParseProtocol.BadSyntax);
            var isKnown = LibAugeas.Get(handle, line, &value) == 1 && value is not null;
            ParseProtocol.WriteNumber(output, isKnown && int.TryParse(Text(value), out var number) ? Math.Clamp(number, 0, ParseProtocol.MaxText) : 0);
        }
    }

    private static void WriteTree(nint handle, byte* variable, int count, Stream output)
    {
        if (count < 0)
            throw new InsufficientMemoryException();
        if (count > ParseProtocol.MaxNodes)
        {
            output.WriteByte(ParseProtocol.TooMuch);
            return;
        }

        output.WriteByte(ParseProtocol.Tree);
        ParseProtocol.WriteNumber(output, count);
        var numbers = new Dictionary<string, int>(count);
        for (var i = 0; i < count; i++)
        {
            byte* value, label, path;
            if (LibAugeas.NodeAttributes(handle, variable, i, &value, &label, null) < 0 || LibAugeas.NodePath(handle, variable, i, &path) < 0)
                throw new InvalidOperationException("a node is gone");

            var place = System.Text.Encoding.Latin1.GetString(Text(path));
            NativeMemory.Free(path);
            numbers[place] = i + 1;
            ParseProtocol.WriteNumber(output, numbers.GetValueOrDefault(ParentOf(place)));
            ParseProtocol.WriteText(output, Text(label));
            if (value is null)
                ParseProtocol.WriteNumber(output, -1);
            else
                ParseProtocol.WriteText(output, Text(value));
        }
    }

    /// <summary>A slash inside a label has a backslash before it; a backslash has another.</summary>
    private static string ParentOf(string path)
    {
        for (var i = path.Length - 1; i > 0; i--)
        {
            if (path[i] != '/')
                continue;
            var escapes = 0;
            while (i - escapes > 0 && path[i - escapes - 1] == '\\')
                escapes++;
            if (escapes % 2 == 0)
                return path[..i];
        }

        return "";
    }

    private static ReadOnlySpan<byte> Text(byte* text) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
}
