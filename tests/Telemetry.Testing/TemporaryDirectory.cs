namespace Telemetry.Testing;

/// <summary>A directory of a test's own, gone afterwards.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    /// <param name="parent">Null: where temporary files go on this machine.</param>
    public TemporaryDirectory(string? parent = null) =>
        Path = parent is null
            ? Directory.CreateTempSubdirectory("telemetry-test-").FullName
            : Directory.CreateDirectory(System.IO.Path.Combine(parent, $"telemetry-test-{Guid.NewGuid():n}")).FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    // rm knows how to remove what has no name .NET could say.
    public void Dispose() => Shell.Run("/", $"chmod -R u+rwx '{Path}' 2>/dev/null; rm -rf '{Path}'");
}
