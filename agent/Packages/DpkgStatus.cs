namespace Telemetry.Agent.Packages;

/// <summary>What dpkg's status file holds, and the first thing that is wrong with it.</summary>
/// <param name="Packages">In key order.</param>
/// <param name="Mistake">For people, with the line; null when the file is right.</param>
internal sealed record DpkgStatus(IReadOnlyList<DpkgPackage> Packages, string? Mistake)
{
    /// <summary>Parses the file: stanzas of <c>Field: value</c> lines, divided by empty lines (deb-control(5), dpkg-query(1)).</summary>
    /// <param name="updates">dpkg's journal: what each holds stands in place of what came before, in their order.</param>
    /// <remarks>Never throws on what the file says. A stanza with a mistake is left out, the others are kept.</remarks>
    public static DpkgStatus Parse(Stream stream, IEnumerable<(string Name, Stream Stream)>? updates = null)
    {
        var parser = new DpkgStatusParser();
        parser.Read(stream, "", isUpdate: false);
        foreach (var (name, update) in updates ?? [])
            parser.Read(update, name + ": ", isUpdate: true);
        return new DpkgStatus(parser.Packages, parser.Mistake);
    }
}
