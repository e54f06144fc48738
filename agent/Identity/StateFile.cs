namespace Telemetry.Agent.Identity;

/// <summary>Small files of the state directory, which nobody else may read.</summary>
internal static class StateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>On the disk under its name when this returns; a crash leaves the file before it.</summary>
    /// <exception cref="IOException">The disk is full or can't be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory can't be written to.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var partial = path + ".partial";
        File.Delete(partial);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (var stream = new FileStream(partial, options))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, path, overwrite: true);
    }
}
