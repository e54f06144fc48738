using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Files that dpkg puts elsewhere, so that another package or the administrator can have their place (dpkg-divert(1)).</summary>
internal sealed class DpkgDiversions
{
    private static readonly ByteText Local = ByteText.Of(":");

    private readonly Dictionary<ByteText, (ByteText To, ByteText By)> _diversions = [];

    /// <summary>Three lines each: the place, the other place, and the package that has the place; <c>:</c> when it is the administrator.</summary>
    public static DpkgDiversions Parse(Stream stream)
    {
        var diversions = new DpkgDiversions();
        var lines = new LineReader(stream);
        while (Next(lines, out var from) && Next(lines, out var to) && Next(lines, out var by))
            diversions._diversions.TryAdd(from, (to, by));
        return diversions;
    }

    /// <summary>Where a package's file lies; the package that diverts has the place itself.</summary>
    public ByteText Place(ByteText path, ByteText package) =>
        _diversions.TryGetValue(path, out var diversion) && (diversion.By == Local || diversion.By != package) ? diversion.To : path;

    private static bool Next(LineReader lines, out ByteText text)
    {
        var found = lines.Next(out var line);
        text = new ByteText(line);
        return found;
    }
}
