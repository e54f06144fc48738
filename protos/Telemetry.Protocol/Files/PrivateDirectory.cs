namespace Telemetry.Protocol.Files;

/// <summary>Directories that nobody but their owner may look into.</summary>
public static class PrivateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes it, and those above it that are not there: whoever made them, they had been private.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Create(string path)
    {
        if (Directory.Exists(path))
            return;
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent)
            Create(parent);
        Directory.CreateDirectory(path, OwnerOnly);
    }
}
