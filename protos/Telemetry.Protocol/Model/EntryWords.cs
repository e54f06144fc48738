namespace Telemetry.Protocol.Model;

/// <summary>The words people see for states and types.</summary>
public static class EntryWords
{
    public static string Of(EntryState state) => state switch
    {
        EntryState.Stable => "stable",
        EntryState.Unreadable => "unreadable",
        EntryState.Unstable => "unstable",
        EntryState.Pending => "pending",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown state."),
    };

    public static string Of(FileType type) => type switch
    {
        FileType.File => "file",
        FileType.Directory => "dir",
        FileType.Symlink => "symlink",
        FileType.CharacterDevice => "char",
        FileType.BlockDevice => "block",
        FileType.Fifo => "fifo",
        FileType.Socket => "socket",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown type."),
    };
}
