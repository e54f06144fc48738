using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>Files of sections with named values: by section and name.</summary>
internal static class Sections
{
    // Where a lens keeps a section's name.
    private static readonly HashSet<string> NamedByValue = ["section", "target"];

    /// <summary>
    /// ini, php.ini, and files without sections: sysctl.conf(5), properties. What the lens takes for a comment behind a value is a part of
    /// it for programs that know comments only at the beginning of lines.
    /// </summary>
    public static void Read(SettingNode root, SettingList settings) => Read(root, WithEnd, settings);

    /// <summary>my.cnf: what stands before a directory of more files goes for less than what they say.</summary>
    public static void ReadMySql(SettingNode root, SettingList settings) => Read(root, node => node.Text, settings);

    private static void Read(SettingNode root, Func<SettingNode, string> valueOf, SettingList settings)
    {
        foreach (var node in root.Children.Where(node => !node.IsComment))
        {
            if (node.Label.StartsWith('!'))
            {
                settings.Add("", node.Label, node.Text);
                settings.AddMark($"{node.Label} {node.Text}");
                settings.AddToOrder($"{node.Label} {node.Text}");
                continue;
            }

            var isSection = NamedByValue.Contains(node.Label);
            var children = node.Children.Where(child => !child.IsComment).ToList();
            var section = isSection ? node.Text : node.Label;
            if (children.Count == 0 && section != ".anon")
            {
                settings.Add(isSection ? "" : valueOf(node), section);
                settings.AddBeside(section);
            }

            foreach (var child in children)
            {
                settings.Add(valueOf(child), section, child.Label);
                settings.AddBeside(section, child.Label);
            }
        }
    }

    /// <summary>systemd.syntax(7): by section and key; a key given again adds to what it had, or empties it. Variables by name.</summary>
    public static void ReadSystemd(SettingNode root, SettingList settings)
    {
        foreach (var section in root.Children.Where(node => !node.IsComment))
        {
            foreach (var key in section.Children.Where(node => !node.IsComment))
            {
                // Only a line that begins with a # is a comment.
                var parts = key.Children.Where(part => !part.IsComment).ToList();
                if (key.Label is "Environment" && parts.Count > 0)
                {
                    foreach (var variable in parts)
                        settings.Add(variable.Text, section.Label, key.Label, variable.Label);
                    if (Ends(key).Any())
                        settings.Add(string.Join('\n', Ends(key)), section.Label, key.Label, "#");
                    continue;
                }

                settings.Add(string.Join(' ', (parts.Count == 0 ? [key.Text] : SystemdWords(parts)).Concat(Ends(key))), section.Label, key.Label);
            }
        }
    }

    /// <summary>logrotate.conf(5): by the files a block is for, and the directive. What stands outside counts for what follows; the last of what exclude each other counts.</summary>
    public static void ReadLogrotate(SettingNode root, SettingList settings)
    {
        foreach (var node in root.Children.Where(node => !node.IsComment))
        {
            if (node.Label != "rule")
            {
                settings.Add(Directive(node), node.Label);
                settings.AddBeside(node.Label);
                if (node.Label == "include")
                {
                    settings.AddMark($"include {node.Text}");
                    settings.AddToOrder($"include {node.Text}");
                }

                continue;
            }

            var files = string.Join(' ', node.Texts("file"));
            settings.AddMark(files);
            var directives = node.Children.Where(child => child.Label != "file" && !child.IsComment).ToList();
            foreach (var directive in directives)
                settings.Add(Directive(directive), files, directive.Label);
            if (directives.Where(directive => IsOneOfSome(directive.Label)).Select(directive => directive.Label).ToList() is { Count: > 1 } excluding)
                settings.Add(string.Join(", ", excluding), files, SettingKey.Order);
        }
    }

    private static string Directive(SettingNode node) =>
        node.Children.Count == 0 ? node.Text : string.Join(' ', node.Children.Select(child => child.Value ?? child.Label));

    private static bool IsOneOfSome(string directive) =>
        directive is "create" or "nocreate" or "olddir" or "noolddir" or "mail" or "nomail" or "mailfirst" or "maillast" or "size" or "minsize" or "maxsize";

    private static string WithEnd(SettingNode node) => node.Value is null ? "" : string.Join(' ', Ends(node).Prepend(node.Text));

    /// <summary>What the lens takes for comments behind a value.</summary>
    private static IEnumerable<string> Ends(SettingNode node) => node.Children.Where(child => child.IsComment).Select(child => "# " + child.Text);

    /// <summary>A command has its marks in front of it, and its words in a row.</summary>
    private static IEnumerable<string> SystemdWords(List<SettingNode> parts)
    {
        var marks = "";
        foreach (var part in parts)
        {
            if (part.Label is "ignoreexit" or "arg0")
            {
                marks += part.Label == "arg0" ? "@" : "-";
            }
            else if (part.Label == "arguments")
            {
                foreach (var argument in part.Children)
                    yield return argument.Text;
            }
            else if (part.Label is "value" or "command")
            {
                yield return marks + part.Text;
                marks = "";
            }
            else
            {
                yield return $"{part.Label} {part.Text}".TrimEnd();
            }
        }
    }
}
