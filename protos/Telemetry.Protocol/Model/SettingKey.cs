namespace Telemetry.Protocol.Model;

/// <summary>Which file a setting belongs to: its key begins with the file's path, as one component.</summary>
public static class SettingKey
{
    /// <summary>Last component of the entry that holds the names of a file's settings in their order.</summary>
    public const string Order = "#order";

    private static readonly byte[] OrderEnd = [EntryKey.Separator, .. System.Text.Encoding.ASCII.GetBytes(Order)];

    /// <summary>Where the order of a file's settings is kept.</summary>
    public static EntryKey OrderOf(EntryKey file) => new([.. PrefixOf(file).Bytes, .. OrderEnd]);

    public static bool IsOrder(EntryKey setting) => setting.Bytes.EndsWith(OrderEnd);

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
