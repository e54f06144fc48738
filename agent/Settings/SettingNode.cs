namespace Telemetry.Agent.Settings;

/// <summary>A node of the tree that a lens makes of a file. Texts are the file's bytes, one a character (ISO 8859-1).</summary>
/// <param name="value">Null: the node has none.</param>
internal sealed class SettingNode(string label, string? value)
{
    private readonly List<SettingNode> _children = [];
    private bool _isRead;

    public string Label { get; } = label;

    public string? Value
    {
        get
        {
            _isRead = true;
            return value;
        }
    }

    public string Text => Value ?? "";

    public IReadOnlyList<SettingNode> Children => _children;

    /// <summary>Lenses number what has no name of its own. A number is a position, never part of a key.</summary>
    public bool IsNumbered => Label.Length > 0 && Label.All(char.IsAsciiDigit);

    public bool IsComment => Label.StartsWith('#') && Label.EndsWith("comment", StringComparison.Ordinal);

    /// <summary>What a format made nothing of: values that nobody asked for, of this node and those below it. Comments hold nothing.</summary>
    public IEnumerable<string> Unread() => IsComment
        ? []
        : _children.SelectMany(child => child.Unread()).Concat(_isRead || value is null ? [] : [$"{Label}={value}"]);

    public SettingNode Add(SettingNode child)
    {
        _children.Add(child);
        return child;
    }

    public IEnumerable<SettingNode> All(string label) => _children.Where(child => child.Label == label);

    public IEnumerable<string> Texts(string label) => All(label).Select(child => child.Text);

    /// <summary>The value of the first child of this label; empty when there is none.</summary>
    public string TextOf(string label) => Texts(label).FirstOrDefault("");
}
