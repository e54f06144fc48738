namespace Telemetry.Agent.Settings.Formats;

/// <summary>Apache and nginx: by the blocks a directive lies in, named by what they are for, and its own name. Order may mean much.</summary>
internal static class WebServers
{
    public static void ReadApache(SettingNode root, SettingList settings) => ReadApache(root, [], settings);

    public static void ReadNginx(SettingNode root, SettingList settings) => ReadNginx(root, [], settings);

    private static void ReadApache(SettingNode block, string[] path, SettingList settings)
    {
        foreach (var node in block.Children.Where(node => !node.IsComment && node.Label is not ("arg" or "wordlist")))
        {
            var arguments = string.Join(' ', node.Children.Where(child => child.Label is "arg" or "wordlist").Select(Argument));
            if (node.Label == "directive")
            {
                Add(arguments, [.. path, node.Text], settings);
                continue;
            }

            string[] inner = [.. path, $"{node.Label} {arguments}".TrimEnd()];

            // Empty, or a piece of Perl.
            if (node.Children.All(child => child.IsComment || child.Label is "arg" or "wordlist"))
                Add(node.Text, inner, settings);
            ReadApache(node, inner, settings);
        }
    }

    private static string Argument(SettingNode argument) =>
        argument.Label == "wordlist" ? "{" + string.Join(", ", argument.Texts("arg")) + "}" : argument.Text;

    private static void ReadNginx(SettingNode block, string[] path, SettingList settings)
    {
        foreach (var node in block.Children.Where(node => !node.IsComment && !IsPartOfName(node)))
        {
            if (node.Label == "@server")
            {
                Add(NginxOptions(node), [.. path, "server " + node.TextOf("@address")], settings);
                continue;
            }

            if (node.All("mask").Any())
            {
                Add($"{node.Text}/{node.TextOf("mask")}", [.. path, node.Label], settings);
                continue;
            }

            var isBlock = node.Children.Any(child => !child.IsComment);
            if (isBlock)
                ReadNginx(node, [.. path, NginxName(node)], settings);
            if (!isBlock || node.Children.All(child => child.IsComment || IsPartOfName(child)))
                Add(node.Text, [.. path, isBlock ? NginxName(node) : node.Label], settings);
        }
    }

    /// <summary>Servers are told apart by the names they answer to, else by where they listen.</summary>
    private static string NginxName(SettingNode node)
    {
        var parts = node.Children.Where(IsPartOfName).Select(part => part.Text);
        if (node.Label == "server" && !node.Children.Any(IsPartOfName))
            parts = node.All("server_name").Any() ? node.Texts("server_name") : node.Texts("listen");
        return string.Join(' ', parts.Prepend(node.Label));
    }

    /// <summary>Of one server of an upstream.</summary>
    private static string NginxOptions(SettingNode server) => string.Join(
        ' ',
        server.Children.Where(option => option.Label != "@address").Select(option => option.Value is null ? option.Label : $"{option.Label}={option.Value}"));

    private static bool IsPartOfName(SettingNode node) => node.Label.StartsWith('#') && !node.IsComment;

    private static void Add(string value, string[] name, SettingList settings)
    {
        settings.Add(value, name);
        settings.AddToOrder(name);
    }
}
