namespace Telemetry.Agent.Settings;

/// <summary>The settings of one file, by the components of their names. What is named twice has its values joined, in order.</summary>
/// <param name="shorten">What stands for a component that is too long to be a name.</param>
internal sealed class SettingList(Func<string, string> shorten)
{
    // Whatever is longer is no name: a command, a list of files, a piece of JSON.
    private const int MaxComponentLength = 200;

    private const string Before = "#before", Rest = "#rest";

    private readonly Dictionary<string, (string[] Name, List<string> Values)> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly SortedSet<string> _sinceMark = new(StringComparer.Ordinal);

    // Of a block with many settings the same text comes with each of them.
    private readonly Dictionary<string, string> _short = new(ReferenceEqualityComparer.Instance);

    public IEnumerable<Setting> All => _byName.Values.Select(setting => new Setting(setting.Name, string.Join('\n', setting.Values)));

    /// <summary>Names in the order of the file, where that order means something.</summary>
    public IReadOnlyList<string> Order => _order;

    public void Add(string value, params IEnumerable<string> name)
    {
        string[] components = [.. name.Select(Short)];
        var key = string.Join('\0', components);
        if (!_byName.TryGetValue(key, out var setting))
            _byName[key] = setting = (components, []);
        setting.Values.Add(value);
    }

    public void AddToOrder(string name) => _order.Add(name);

    /// <summary>The same of the name of a setting inside blocks.</summary>
    public void AddToOrder(IEnumerable<string> name) => _order.Add(string.Join('/', name.Select(Short)));

    /// <summary>A setting that may stand anywhere among its like, but not on the other side of a mark.</summary>
    public void AddBeside(params IEnumerable<string> name) => _sinceMark.Add(string.Join('/', name.Select(Short)));

    /// <summary>What counts for, or goes before, only what follows it: what stands before it is told by name, so that layers can each add to it.</summary>
    public void AddMark(string mark)
    {
        foreach (var name in _sinceMark)
            Add("", Before, mark, name);
        _sinceMark.Clear();
    }

    /// <param name="rest">What is in the file and in no setting.</param>
    public void AddRest(IEnumerable<string> rest)
    {
        var texts = rest.Order(StringComparer.Ordinal).ToList();
        if (texts.Count > 0)
            Add(string.Join('\n', texts), Rest);
    }

    private string Short(string component)
    {
        if (component.Length <= MaxComponentLength)
            return component;
        return _short.TryGetValue(component, out var known) ? known : _short[component] = shorten(component);
    }
}

/// <param name="Name">One or more components.</param>
internal sealed record Setting(string[] Name, string Value);
