using System.Globalization;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.FleetSimulator;

/// <summary>The tree that every instance of the fleet started from. Built once, read by all.</summary>
internal sealed class SharedBase : INodeSource
{
    private readonly MemoryNodes _nodes = new();

    public SharedBase(int entries)
    {
        var builder = new TreeBuilder(_nodes.Add);
        foreach (var key in Enumerable.Range(0, entries).Select(KeyOf).Order())
            builder.Append(key, File(key.ToString()!, version: 0));
        Root = builder.Finish();
        Entries = entries;
    }

    public Digest Root { get; }

    public int Entries { get; }

    public ReadOnlyMemory<byte> Read(Digest digest) => _nodes.Read(digest);

    /// <summary>As deep as files of packages are.</summary>
    public static EntryKey KeyOf(int number) =>
        EntryKey.OfPath(string.Create(CultureInfo.InvariantCulture, $"/usr/share/package-{number % 997}/part-{number % 31}/file-{number}"));

    public static Fingerprint File(string name, int version) => new()
    {
        Type = FileType.File,
        Mode = 0b110_100_100,
        Uid = 0,
        Gid = 0,
        Size = (ulong)version,
        Content = Digest.Of(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name} {version}"))),
    };
}
