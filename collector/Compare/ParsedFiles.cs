using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>The files that settings stand in, as two manifests have them: each looked up once. Pure.</summary>
internal sealed class ParsedFiles(INodeSource nodes, Roots expected, Roots actual)
{
    private readonly Dictionary<EntryKey, ParsedFile> _files = [];

    /// <param name="setting">Key of a setting.</param>
    public ParsedFile Of(EntryKey setting)
    {
        var key = SettingKey.FileOf(setting.Bytes);
        if (!_files.TryGetValue(key, out var file))
        {
            file = new ParsedFile(TreeReader.Find(nodes, expected.File, key), TreeReader.Find(nodes, actual.File, key));
            _files.Add(key, file);
        }

        return file;
    }
}

/// <summary>A file that is parsed for settings. Null: it is not there.</summary>
internal readonly record struct ParsedFile(Fingerprint? Expected, Fingerprint? Actual)
{
    public bool HasEqualContent => Closeness.HaveEqualContent(Expected, Actual);
}
