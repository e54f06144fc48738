using System.Text;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>sources.list(5): by type, address, suite and component; the options of the line are the value. The first source that has a version gives it.</summary>
internal static class AptSources
{
    /// <summary>
    /// The lens of augeas 1.14 knows no options but arch and trusted, while most third parties' lines have signed-by: options are
    /// written behind the components, in braces.
    /// </summary>
    public static byte[] Prepare(byte[] content)
    {
        var lines = Encoding.Latin1.GetString(content).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var (line, begin) = (lines[i], lines[i].IndexOf('['));
            var end = begin < 0 ? -1 : line.IndexOf(']', begin);
            if (end > 0 && line[..begin].Trim() is "deb" or "deb-src")
                lines[i] = $"{line[..begin]} {WithoutComment(line[(end + 1)..])} {InBraces(line[(begin + 1)..end])}".TrimEnd();
        }

        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var line in root.Children.Where(line => line.IsNumbered))
        {
            var words = line.Texts("component").ToLookup(word => word.StartsWith('{') && word.EndsWith('}'));
            var options = string.Join(' ', words[true].Select(word => word[1..^1]));
            string[] source = [line.TextOf("type"), line.TextOf("uri"), line.TextOf("distribution")];
            foreach (var component in words[false])
                settings.Add(options, [.. source, component]);

            // Of versions that several sources have, that of the first is taken.
            settings.AddToOrder(string.Join(' ', source));
            if (!words[false].Any())
                settings.Add(options, source);
        }
    }

    private static string WithoutComment(string rest) => rest.Split('#')[0].Trim();

    private static string InBraces(string options) =>
        string.Join(' ', options.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Select(option => $"{{{option}}}"));
}
