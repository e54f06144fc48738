namespace Telemetry.Agent.Settings;

/// <summary>The settings of one file, by the components of their names. What is named twice has its values joined, in order.</summary>
internal sealed class SettingList
{
    private readonly Dictionary<string, Setting> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    public IEnumerable<Setting> All => _byName.Values;

    /// <summary>Names in the order of the file, where that order means something.</summary>
    public IReadOnlyList<string> Order => _order;

    public void Add(string value, params IEnumerable<string> name)
    {
        string[] components = [.. name];
        var key = string.Join('\0', components);
        _byName[key] = _byName.TryGetValue(key, out var before) ? before with { Value = before.Value + "\n" + value } : new Setting(components, value);
    }

    public void AddToOrder(string name) => _order.Add(name);
}

/// <param name="Name">One or more components.</param>
internal sealed record Setting(string[] Name, string Value);
