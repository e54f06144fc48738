using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>Makers of values that a test does not care about.</summary>
internal static class Some
{
    public static readonly DateTimeOffset Time = new(2026, 3, 3, 10, 0, 0, TimeSpan.Zero);

    public static readonly Coverage Coverage =
        new(Scope.Everything, [new Scanner(EntryKind.File, "file", 1, 0), new Scanner(EntryKind.Package, "dpkg", 1, 0)], [], []);

    /// <summary>Settings too: of the files below /etc.</summary>
    public static readonly Coverage SettingCoverage = Coverage with
    {
        Scope = new Scope([EntryKey.Root], [], [KeyPattern.Parse("/etc")]),
        Scanners = [.. Coverage.Scanners, new Scanner(EntryKind.Setting, "setting", 1, 0)],
    };

    public static Fingerprint File(string content = "content", uint mode = 0b110_100_100) => new()
    {
        Type = FileType.File,
        Mode = mode,
        Uid = 0,
        Gid = 0,
        Size = (ulong)content.Length,
        Content = Digest.Of(System.Text.Encoding.UTF8.GetBytes(content)),
    };

    public static Fingerprint Package(string version) =>
        new Fingerprint().WithVersion(System.Text.Encoding.UTF8.GetBytes(version));

    public static Fingerprint Secret(FleetKey key, string content = "content") => File(content) with
    {
        Content = null,
        KeyedContent = key.Digest(System.Text.Encoding.UTF8.GetBytes(content)),
    };

    public static Instance Instance(string id = "i-1", params (string Key, string Value)[] tags) => new(
        id, "web-1", "0.1.0", "web", "acme",
        tags.ToImmutableSortedDictionary(tag => tag.Key, tag => tag.Value), "", Time);

    public static InstanceHead Head(Roots roots, ulong sequence = 1, string instanceId = "i-1", Coverage? coverage = null) => new(
        instanceId, new HeadPosition(1, sequence), roots, coverage ?? Coverage, Time, Time.AddSeconds(-10), Time.AddSeconds(1));

    public static Binding Binding(Selector selector, string value, string line = "shop") => new(selector, value, line);
}
