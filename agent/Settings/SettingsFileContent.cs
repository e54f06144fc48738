using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings;

/// <summary>A file as it was in one state.</summary>
/// <param name="Stamp">None when the file changed so shortly before that a second change would not show.</param>
/// <param name="Bytes">Null: not wanted, not there, or <paramref name="Trouble"/> says why not.</param>
internal readonly record struct SettingsFileContent(FileStamp Stamp, byte[]? Bytes, string? Trouble)
{
    /// <summary>Bytes of the largest file that is parsed.</summary>
    public const int MaxLength = 1024 * 1024;

    private const int Tries = 3;

    /// <summary>The trouble is with what the file holds, and lasts as long as it holds that.</summary>
    public bool IsRefused { get; init; }

    /// <param name="root">The directory that the key is below.</param>
    /// <param name="isKnown">Whether the content of a file with this stamp is not wanted.</param>
    public static SettingsFileContent Read(int root, EntryKey file, Func<FileStamp, bool> isKnown, TimeProvider clock, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var errno = PathFromRoot.OpenRegular(root, file, out var descriptor);
            if (errno != 0)
                return new SettingsFileContent(FileStamp.None, null, Errno.IsGone(errno) || errno == Errno.Loop ? null : $"it can't be read: {Errno.Text(errno)}");

            try
            {
                if (ReadOpened(descriptor, isKnown, clock, cancellation) is { } content)
                    return content;
            }
            finally
            {
                OpenFile.Close(descriptor);
            }

            if (attempt == Tries)
                return new SettingsFileContent(FileStamp.None, null, "it keeps changing");
        }
    }

    /// <returns>Null when it changed meanwhile.</returns>
    private static SettingsFileContent? ReadOpened(
        int descriptor, Func<FileStamp, bool> isKnown, TimeProvider clock, CancellationToken cancellation)
    {
        var takenAt = clock.GetUtcNow().ToUnixNanoseconds();
        var errno = FileStatus.Of(descriptor, out var before);
        if (errno != 0)
            return new SettingsFileContent(FileStamp.None, null, $"it can't be read: {Errno.Text(errno)}");
        if (before.Type != FileType.File)
            return new SettingsFileContent(FileStamp.None, null, null);

        var stamp = FileStamp.Of(before, takenAt);
        if (isKnown(stamp))
            return new SettingsFileContent(stamp, null, null);
        if (before.Size > MaxLength)
            return new SettingsFileContent(stamp, null, "it is too large to parse (above 1 MiB)") { IsRefused = true };

        if (!FileAtRest.Is(descriptor, before, clock, cancellation))
            return null;

        var bytes = new byte[before.Size];
        for (var length = 0; length < bytes.Length;)
        {
            var read = OpenFile.Read(descriptor, bytes.AsSpan(length));
            if (read < 0)
                return new SettingsFileContent(FileStamp.None, null, $"it can't be read: {Errno.Text(-read)}");
            if (read == 0)
                return null;
            length += read;
        }

        if (FileStatus.Of(descriptor, out var after) != 0 || !after.IsSameState(before))
            return null;
        return bytes.AsSpan().Contains((byte)0)
            ? new SettingsFileContent(stamp, null, "it holds zero bytes, so it is no text") { IsRefused = true }
            : new SettingsFileContent(stamp, bytes, null);
    }
}
