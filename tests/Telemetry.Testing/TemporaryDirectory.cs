namespace Telemetry.Testing;

/// <summary>A directory of a test's own, gone afterwards.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("telemetry-test-").FullName;

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
