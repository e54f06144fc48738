namespace Telemetry.Agent.Settings.Formats;

/// <summary>Files of sections with named values: by section and name.</summary>
internal static class Sections
{
    // Where a lens keeps a section's name.
    private static readonly HashSet<string> NamedByValue = ["section", "target"];

    /// <summary>ini, php.ini, my.cnf, and files without sections: sysctl.conf(5), properties.</summary>
    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var node in root.Children.Where(node => !node.IsComment))
        {
            if (node.Label.StartsWith('!'))
            {
                settings.Add("", node.Label, node.Text);
                continue;
            }

            if (node.Children.Count == 0 && !NamedByValue.Contains(node.Label))
                settings.Add(node.Text, node.Label);
            var section = NamedByValue.Contains(node.Label) ? node.Text : node.Label;
            foreach (var child in node.Children.Where(child => !child.IsComment))
                settings.Add(child.Text, section, child.Label);
        }
    }

    /// <summary>systemd.syntax(7): by section and key; a key given again adds to what it had, or empties it. Variables by name.</summary>
    public static void ReadSystemd(SettingNode root, SettingList settings)
    {
        foreach (var section in root.Children.Where(node => !node.IsComment))
        {
            foreach (var key in section.Children.Where(node => !node.IsComment))
            {
                var parts = key.Children.Where(part => !part.IsComment).ToList();
                if (key.Label is "Environment" && parts.Count > 0)
                    parts.ForEach(variable => settings.Add(variable.Text, section.Label, key.Label, variable.Label));
                else
                    settings.Add(parts.Count == 0 ? key.Text : string.Join(' ', SystemdWords(parts)), section.Label, key.Label);
            }
        }
    }

    /// <summary>logrotate.conf(5): by the files a block is for, and the directive.</summary>
    public static void ReadLogrotate(SettingNode root, SettingList settings)
    {
        foreach (var node in root.Children.Where(node => !node.IsComment))
        {
            if (node.Label != "rule")
            {
                settings.Add(Directive(node), node.Label);
                continue;
            }

            var files = string.Join(' ', node.Texts("file"));
            foreach (var directive in node.Children.Where(child => child.Label != "file" && !child.IsComment))
                settings.Add(Directive(directive), files, directive.Label);
        }
    }

    private static string Directive(SettingNode node) =>
        node.Children.Count == 0 ? node.Text : string.Join(' ', node.Children.Select(child => child.Text));

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
