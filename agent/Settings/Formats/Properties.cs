using System.Text;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>Java's properties: by name.</summary>
internal static class Properties
{
    /// <summary>The lens gives a value of several lines no name one could ask for: such lines become one, as Java reads them.</summary>
    public static byte[] Prepare(byte[] content)
    {
        var text = new StringBuilder(content.Length);
        var goesOn = false;
        foreach (var line in Encoding.Latin1.GetString(content).Split('\n'))
        {
            var part = goesOn ? line.TrimStart() : line;
            var isComment = !goesOn && line.TrimStart() is ['#' or '!', ..];
            goesOn = !isComment && (part.Length - part.TrimEnd('\\').Length) % 2 == 1;
            text.Append(goesOn ? part[..^1] : part + "\n");
        }

        return Encoding.Latin1.GetBytes(text.ToString());
    }
}
