using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>What the agents of each release sent.</summary>
internal static class RecordedStreams
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Ingest/Streams");

    public static IEnumerable<string> Releases => Directory.EnumerateDirectories(Folder).Select(folder => Path.GetFileName(folder));

    /// <returns>The sessions of one agent, each with its messages.</returns>
    public static IReadOnlyList<IReadOnlyList<V1.ConnectRequest>> Of(string release) =>
        [.. Directory.EnumerateFiles(Path.Combine(Folder, release), "*.bin").Order(StringComparer.Ordinal).Select(Read)];

    private static List<V1.ConnectRequest> Read(string path)
    {
        using var file = File.OpenRead(path);
        var messages = new List<V1.ConnectRequest>();
        while (file.Position < file.Length)
            messages.Add(V1.ConnectRequest.Parser.ParseDelimitedFrom(file));
        return messages;
    }
}
