namespace Telemetry.Agent.Settings.Formats;

/// <summary>sudoers(5): rules by who they are for, defaults by their scope and name, aliases by kind and name.</summary>
internal static class Sudoers
{
    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var node in root.Children)
        {
            if (node.Label == "Defaults")
            {
                ReadDefaults(node, settings);
            }
            else if (node.Label == "spec")
            {
                var users = string.Join(", ", Names(node.All("user")));
                settings.Add(string.Join(" : ", node.All("host_group").Select(HostGroup)), "spec", users);

                // The last rule that matches wins.
                settings.AddToOrder(users);
            }
            else if (node.Label.EndsWith("_Alias", StringComparison.Ordinal))
            {
                foreach (var alias in node.All("alias"))
                    settings.Add(string.Join(", ", Names(alias.Children.Where(child => child.Label != "name"))), node.Label, alias.TextOf("name"));
            }
            else if (!node.IsComment)
            {
                settings.Add("", node.Label, node.Text);
                settings.AddToOrder($"{node.Label} {node.Text}");
            }
        }
    }

    private static void ReadDefaults(SettingNode node, SettingList settings)
    {
        var scope = "Defaults" + node.TextOf("type");
        foreach (var option in node.Children.Where(child => child.Label != "type" && !child.IsComment))
        {
            var sign = string.Concat(option.Children.Select(child => child.Label switch { "negate" => "!", "append" => "+=", "remove" => "-=", _ => "" }));
            settings.Add(sign + option.Text, scope, option.Label);
        }
    }

    private static string HostGroup(SettingNode group) =>
        string.Join(", ", Names(group.All("host"))) + " = " + string.Join(", ", group.All("command").Select(Command));

    private static string Command(SettingNode command)
    {
        var users = string.Join(", ", Names(command.All("runas_user")));
        var groups = string.Join(", ", Names(command.All("runas_group")));
        var runAs = (users + groups).Length == 0 ? "" : groups.Length == 0 ? $"({users}) " : $"({users}:{groups}) ";
        var tags = string.Concat(command.Texts("tag").Select(tag => tag + ": "));
        return runAs + tags + Name(command);
    }

    private static IEnumerable<string> Names(IEnumerable<SettingNode> nodes) => nodes.Select(Name);

    private static string Name(SettingNode node) => node.All("negate").Any() ? "!" + node.Text : node.Text;
}
