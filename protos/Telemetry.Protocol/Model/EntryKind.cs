namespace Telemetry.Protocol.Model;

/// <summary>The four kinds of entries; each has a tree of its own. The numbers are stored: never change one.</summary>
public enum EntryKind : byte
{
    File = 1,
    Package = 2,
    Setting = 3,
    System = 4,
}

public static class EntryKinds
{
    public static readonly IReadOnlyList<EntryKind> All =
        [EntryKind.File, EntryKind.Package, EntryKind.Setting, EntryKind.System];

    /// <summary>The name people see and type, e.g. <c>package</c>.</summary>
    public static string Name(this EntryKind kind) => kind switch
    {
        EntryKind.File => "file",
        EntryKind.Package => "package",
        EntryKind.Setting => "setting",
        EntryKind.System => "system",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
    };
}
