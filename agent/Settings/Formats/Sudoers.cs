using System.Text;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>sudoers(5): rules by who they are for, defaults by their scope and name, aliases by kind and name.</summary>
internal static class Sudoers
{
    // For the lens every # begins a comment. Users' names may hold what stands for it, so that is written differently, too.
    private const string Number = "+.n", Plain = "+.", EscapedPlain = "+.-";

    /// <summary>A # before digits is no comment but the number of a user or group, wherever it stands.</summary>
    public static byte[] Prepare(byte[] content)
    {
        var text = Encoding.Latin1.GetString(content).Replace(Plain, EscapedPlain, StringComparison.Ordinal);
        var prepared = new StringBuilder(text.Length);
        bool isQuoted = false, isComment = false;
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            var isMark = letter == '#' && !isQuoted && !isComment;
            if (isMark && IsNumber(text.AsSpan(i + 1)))
            {
                prepared.Append(Number);
                continue;
            }

            isComment = (isComment || isMark) && letter != '\n';
            isQuoted = (isQuoted != (letter == '"')) && letter != '\n';
            if (letter == '\\' && !isComment && i + 1 < text.Length)
                prepared.Append(text[i++]);
            prepared.Append(text[i]);
        }

        return Encoding.Latin1.GetBytes(prepared.ToString());
    }

    public static SettingNode Restore(SettingNode node)
    {
        var restored = new SettingNode(Restore(node.Label), node.Value is { } value ? Restore(value) : null);
        foreach (var child in node.Children)
            restored.Add(Restore(child));
        return restored;
    }

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
                settings.AddMark($"{node.Label} {node.Text}");
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
            settings.Add(sign + string.Join(' ', option.Value is { } value ? [value] : option.Texts("var")), scope, option.Label);

            // The last goes; what an included file says of it, goes before what stands above it.
            settings.AddBeside(scope, option.Label);
        }
    }

    private static bool IsNumber(ReadOnlySpan<char> text) => text is [>= '0' and <= '9', ..] or ['-', >= '0' and <= '9', ..];

    private static string Restore(string text) =>
        text.Replace(Number, "#", StringComparison.Ordinal).Replace(EscapedPlain, Plain, StringComparison.Ordinal);

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
