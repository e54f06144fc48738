namespace Telemetry.Protocol.Files;

/// <summary>Small files that nobody but their owner may read: identities, keys, state.</summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>On the disk under its name when this returns; a crash leaves the file before it.</summary>
    /// <exception cref="IOException">The disk is full or can't be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory can't be written to.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var partial = path + ".partial";
        File.Delete(partial);
        using var stream = new FileStream(
            partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
        File.Move(partial, path, overwrite: true);

        // Once more: on journaling filesystems this takes the new name along.
        stream.Flush(flushToDisk: true);
    }
}
