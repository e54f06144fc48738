using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Paths as package databases write them, beside keys of the file tree.</summary>
internal static class PathText
{
    /// <summary>Whether a path with its leading slash is the one that a key stands for.</summary>
    public static bool IsOf(ReadOnlySpan<byte> path, EntryKey key)
    {
        if (path.Length != key.Length + 1)
            return path.SequenceEqual("/."u8) && key.IsRoot;
        for (var index = 0; index < key.Length; index++)
        {
            var value = key.Bytes[index];
            if (path[index + 1] != (value == EntryKey.Separator ? (byte)'/' : value))
                return false;
        }

        return true;
    }
}
