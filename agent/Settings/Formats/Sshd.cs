namespace Telemetry.Agent.Settings.Formats;

/// <summary>sshd_config(5): by keyword, below the condition of a Match block. Keywords that gather are keyed by what they gather.</summary>
internal static class Sshd
{
    private static readonly HashSet<string> Gathering = new(StringComparer.OrdinalIgnoreCase)
    {
        "AcceptEnv", "AllowGroups", "AllowUsers", "DenyGroups", "DenyUsers", "HostCertificate", "HostKey", "Include", "ListenAddress", "Port",
    };

    private static readonly HashSet<string> CommaLists = new(StringComparer.OrdinalIgnoreCase)
    {
        "Ciphers", "HostKeyAlgorithms", "KexAlgorithms", "MACs", "PubkeyAcceptedKeyTypes", "PubkeyAcceptedAlgorithms", "CASignatureAlgorithms",
    };

    public static void Read(SettingNode root, SettingList settings)
    {
        var conditions = new List<string>();
        foreach (var node in root.Children)
        {
            if (node.Label != "Match")
            {
                ReadKeyword(node, [], settings);
                continue;
            }

            var condition = "Match " + string.Join(' ', node.All("Condition").SelectMany(part => part.Children).Select(part => $"{part.Label} {part.Text}"));
            conditions.Add(condition);
            foreach (var keyword in node.All("Settings").SelectMany(part => part.Children))
                ReadKeyword(keyword, [condition], settings);
        }

        // The first block that matches and sets a keyword wins.
        if (conditions.Count > 1)
            conditions.ForEach(condition => settings.AddToOrder(condition));
    }

    private static void ReadKeyword(SettingNode node, string[] block, SettingList settings)
    {
        if (node.IsComment)
            return;

        if (node.Label.Equals("SetEnv", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var variable in Words(node))
            {
                var (name, value) = Split(variable);
                settings.Add(value, [.. block, node.Label, name]);
            }
        }
        else if (Gathering.Contains(node.Label))
        {
            foreach (var word in Words(node))
                settings.Add("", [.. block, node.Label, word]);
        }
        else if (node.Children.Any(child => !child.IsNumbered))
        {
            foreach (var child in node.Children)
                settings.Add(child.Text, [.. block, node.Label, child.Label]);
        }
        else
        {
            settings.Add(string.Join(CommaLists.Contains(node.Label) ? ',' : ' ', Words(node)), [.. block, node.Label]);
        }
    }

    private static IEnumerable<string> Words(SettingNode node) =>
        node.Children.Count == 0 ? [node.Text] : node.Children.Select(child => child.Text);

    private static (string Name, string Value) Split(string variable)
    {
        var end = variable.IndexOf('=');
        return end < 0 ? (variable, "") : (variable[..end], variable[(end + 1)..]);
    }
}
