using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>A process's command line as people may see it: without secrets, escaped, and cut.</summary>
internal static class CommandLineText
{
    /// <summary>Of the arguments together, in bytes of UTF-8.</summary>
    public const int MaxLength = 4096;

    /// <summary>What stands for what was cut away.</summary>
    public const string Cut = "…";

    /// <param name="raw">The content of <c>/proc/PID/cmdline</c>: each argument ends with 0x00 (proc_pid_cmdline(5)).</param>
    /// <param name="isCut">Whether more follows. Then the last argument is left out: of a secret that is cut in the middle the mask may not know.</param>
    public static IReadOnlyList<string> Of(ReadOnlySpan<byte> raw, bool isCut)
    {
        var arguments = new List<byte[]>();
        var rest = raw;
        while (rest.IndexOf((byte)0) is var end and >= 0)
        {
            arguments.Add(rest[..end].ToArray());
            rest = rest[(end + 1)..];
        }

        // A process that wrote its own title may have left the end away.
        if (!rest.IsEmpty && !isCut)
            arguments.Add(rest.ToArray());

        var texts = new List<string>();
        var left = MaxLength - Encoding.UTF8.GetByteCount(Cut);
        foreach (var argument in CommandLineMask.Of(arguments))
        {
            var text = EscapedText.Of(argument);
            left -= Encoding.UTF8.GetByteCount(text);
            if (left < 0)
            {
                texts.Add(Start(text, left) + Cut);
                return texts;
            }

            texts.Add(text);
        }

        if (isCut)
            texts.Add(Cut);
        return texts;
    }

    /// <param name="left">How much it is too long, as a negative number of bytes.</param>
    private static string Start(string text, int left)
    {
        var room = Encoding.UTF8.GetByteCount(text) + left;
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
                break;
            length += rune.Utf16SequenceLength;
        }

        // Not in the middle of an escape.
        var escape = text.LastIndexOf('\\', Math.Max(length - 1, 0), Math.Min(length, 4));
        return text[..(escape >= 0 && length - escape < 4 ? escape : length)];
    }
}
