using System.Text;

namespace Telemetry.Agent.Checks;

/// <summary>
/// What a plug-in wrote: <c>TEXT | perfdata</c> in the first line; long text in those that follow, until one of them has a bar: all
/// behind it is more perfdata. Pure.
/// </summary>
internal sealed record PluginOutput(string Text, string LongText, PerfData Data)
{
    public static PluginOutput Parse(ReadOnlySpan<byte> output)
    {
        var lines = Encoding.UTF8.GetString(output).Split('\n');
        var (text, first) = Cut(lines[0]);
        var data = new StringBuilder(first);
        var longText = new List<string>();
        var isData = false;
        foreach (var line in lines.Skip(1))
        {
            if (isData)
            {
                data.Append(' ').Append(line);
                continue;
            }

            isData = line.Contains('|');
            var (more, rest) = Cut(line);
            longText.Add(more);
            data.Append(' ').Append(rest);
        }

        return new PluginOutput(text, string.Join('\n', longText).Trim(), PerfData.Parse(data.ToString()));
    }

    private static (string Text, string Data) Cut(string line)
    {
        var bar = line.IndexOf('|');
        return bar < 0 ? (line.Trim(), "") : (line[..bar].Trim(), line[(bar + 1)..]);
    }
}
