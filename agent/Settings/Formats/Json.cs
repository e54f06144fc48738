using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>
/// JSON (RFC 8259): by the names on the way. Lists of plain values are values; other elements of lists are known by their member
/// "name", "id" or "key", else by their content, and in order.
/// </summary>
internal static class Json
{
    private static readonly string[] Identifying = ["name", "id", "key"];

    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var value in root.Children.Where(IsValue))
            Read(value, [], settings);
    }

    private static void Read(SettingNode value, string[] path, SettingList settings)
    {
        var members = value.Children.Where(child => child.Label == "entry").ToList();
        var elements = value.Children.Where(IsValue).ToList();
        if (value.Label == "dict" && members.Count > 0)
        {
            foreach (var member in members)
            {
                foreach (var inner in member.Children.Where(IsValue))
                    Read(inner, [.. path, member.Text], settings);
            }
        }
        else if (value.Label == "array" && elements.Exists(element => element.Label == "dict"))
        {
            var names = elements.ConvertAll(NameOf);
            foreach (var (element, name) in elements.Zip(names))
                Read(element, [.. path, name], settings);
            if (names.Count > 1)
                settings.Add(string.Join(", ", names), [.. path, SettingKey.Order]);
        }
        else
        {
            settings.Add(TextOf(value), path.Length == 0 ? ["[]"] : path);
        }
    }

    private static string NameOf(SettingNode element)
    {
        foreach (var name in Identifying)
        {
            var identity = element.All("entry").FirstOrDefault(member => member.Text == name)?.Children.FirstOrDefault(IsValue);
            if (identity is { Label: "string" or "number" })
                return $"{name}={identity.Text}";
        }

        return TextOf(element);
    }

    private static string TextOf(SettingNode value) => value.Label switch
    {
        "dict" => "{" + string.Join(',', value.All("entry").Select(member => $"\"{member.Text}\":{string.Concat(member.Children.Where(IsValue).Select(TextOf))}")) + "}",
        "array" => "[" + string.Join(',', value.Children.Where(IsValue).Select(TextOf)) + "]",
        "string" => $"\"{value.Text}\"",
        _ => value.Text,
    };

    private static bool IsValue(SettingNode node) => node.Label is "dict" or "array" or "string" or "number" or "const";
}
