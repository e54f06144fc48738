using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Compare;

/// <summary>Which file a setting belongs to: its key begins with the file's path, as one component.</summary>
internal static class SettingKey
{
    /// <summary>The key of the file a setting stands in.</summary>
    public static EntryKey FileOf(EntryKey setting)
    {
        var end = setting.Bytes.IndexOf(EntryKey.Separator);
        var file = (end < 0 ? setting.Bytes : setting.Bytes[..end]).ToArray();
        file.AsSpan().Replace((byte)'/', EntryKey.Separator);
        return new EntryKey(file);
    }

    /// <summary>The prefix of the keys of a file's settings.</summary>
    public static EntryKey PrefixOf(EntryKey file)
    {
        var path = file.Bytes.ToArray();
        path.AsSpan().Replace(EntryKey.Separator, (byte)'/');
        return new EntryKey(path);
    }
}
