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
        // Case means nothing, and of two spellings the first goes: then the other must be found under the same name.
        var spellings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in root.Children)
        {
            if (!node.Label.Equals("Match", StringComparison.OrdinalIgnoreCase))
            {
                ReadKeyword(node, [], spellings, settings);
                continue;
            }

            var condition = "Match " + string.Join(' ', node.All("Condition").SelectMany(part => part.Children).Select(part => $"{part.Label} {part.Text}"));

            // The first block that matches and sets a keyword wins.
            settings.AddToOrder(condition);
            foreach (var keyword in node.All("Settings").SelectMany(part => part.Children))
                ReadKeyword(keyword, [condition], spellings, settings);
        }
    }

    private static void ReadKeyword(SettingNode node, string[] block, Dictionary<string, string> spellings, SettingList settings)
    {
        if (node.IsComment)
            return;

        if (!spellings.TryGetValue(node.Label, out var keyword))
            spellings.Add(node.Label, keyword = node.Label);

        // What is set first counts, so it matters what an included file comes before.
        if (keyword.Equals("Include", StringComparison.OrdinalIgnoreCase))
        {
            string[] include = [.. block, $"{keyword} {string.Join(' ', Words(node))}"];
            settings.AddMark(string.Join('/', include));
            settings.AddToOrder(include);
        }
        else
        {
            settings.AddBeside([.. block, keyword]);
        }

        if (keyword.Equals("SetEnv", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var variable in Words(node))
            {
                var (name, value) = Split(variable);
                settings.Add(value, [.. block, keyword, name]);
            }
        }
        else if (Gathering.Contains(keyword))
        {
            foreach (var word in Words(node))
                settings.Add("", [.. block, keyword, word]);
        }
        else if (node.Children.Any(child => !child.IsNumbered))
        {
            foreach (var child in node.Children)
                settings.Add(child.Text, [.. block, keyword, child.Label]);
        }
        else
        {
            settings.Add(string.Join(CommaLists.Contains(keyword) ? ',' : ' ', Words(node)), [.. block, keyword]);
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
