namespace Telemetry.Protocol.Model;

/// <summary>Which file a setting belongs to: its key begins with the file's path, as one component.</summary>
public static class SettingKey
{
    /// <summary>The key of the file a setting stands in.</summary>
    public static EntryKey FileOf(ReadOnlySpan<byte> setting)
    {
        var end = setting.IndexOf(EntryKey.Separator);
        var file = (end < 0 ? setting : setting[..end]).ToArray();
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
