using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>All packages of an rpm database, each with its key.</summary>
/// <remarks>
/// The key is name and architecture, so that an update is one entry that changed. What is meant to be installed in several versions
/// side by side (kernels, keys) has its version in the key from the first one on: another kernel is one entry added, and the first
/// keeps its key. What is there in several versions although it is not meant to be has it as well: then the update that broke off
/// shows as the entry that is gone and those that stand in its place.
/// </remarks>
internal sealed class RpmPackages
{
    private const string Format = RpmPackage.Format + "[ %{PROVIDENAME:shescape}]\n";

    private readonly Dictionary<(ByteText Name, ByteText Architecture, ByteText Version), EntryKey> _keys = [];

    private RpmPackages(string? trouble) => Trouble = trouble;

    /// <summary>For people; null when all packages are here.</summary>
    public string? Trouble { get; private set; }

    public bool IsEmpty => _keys.Count == 0;

    public static RpmPackages Read(RpmSnapshot snapshot, string program, CancellationToken cancellation)
    {
        var found = new List<RpmPackage>();
        var isStrange = false;
        var trouble = snapshot.Query(
            program,
            Format,
            words =>
            {
                if (words.Count >= RpmPackage.Words)
                    found.Add(RpmPackage.Parse(words, 0, RpmPackage.Words));
                else
                    isStrange = true;
            },
            cancellation);
        var packages = new RpmPackages(trouble ?? (isStrange ? "rpm wrote a line that is none of a package" : null));
        foreach (var group in found.Distinct().GroupBy(package => (package.Name, package.Architecture)))
        {
            var isOneOfMany = group.Count() > 1;
            foreach (var package in group)
                packages.Add(package, isOneOfMany || package.IsOneOfMany);
        }

        return packages;
    }

    /// <summary>In key order.</summary>
    public IEnumerable<(EntryKey Key, ByteText Version)> InOrder() =>
        _keys.Select(pair => (pair.Value, pair.Key.Version)).OrderBy(pair => pair.Value);

    /// <returns>Null when there is no such package.</returns>
    public EntryKey? KeyOf(RpmPackage package) => _keys.TryGetValue((package.Name, package.Architecture, package.Version), out var key) ? key : null;

    private void Add(RpmPackage package, bool withVersion)
    {
        var key = package.Key(withVersion);
        if (key.Length <= EntryKey.MaxLength)
            _keys[(package.Name, package.Architecture, package.Version)] = key;
        else
            Trouble ??= "a package has a name that is longer than any real one";
    }
}
