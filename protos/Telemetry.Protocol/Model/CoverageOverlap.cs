namespace Telemetry.Protocol.Model;

/// <summary>What two manifests both say something about. Elsewhere they cannot be compared, and nothing is concluded.</summary>
public sealed record CoverageOverlap(Coverage Expected, Coverage Actual)
{
    public bool Covers(EntryKind kind, ReadOnlySpan<byte> key) =>
        Expected.Covers(kind, key)
        && Actual.Covers(kind, key)
        && Expected.ScannerOf(kind, key)!.IsComparableWith(Actual.ScannerOf(kind, key)!);

    /// <summary>What a comparison leaves out, for people; null when that is nothing.</summary>
    public string? LeftOut
    {
        get
        {
            var parts = new List<string>();
            foreach (var scanner in Expected.Scanners.Union(Actual.Scanners).DistinctBy(scanner => (scanner.Kind, scanner.Name)))
            {
                var isShared = Expected.Scanners.Any(scanner.IsComparableWith) && Actual.Scanners.Any(scanner.IsComparableWith);
                if (!isShared)
                    parts.Add($"{scanner.Kind.Name()} entries of scanner '{scanner.Name}' (not on both sides, or of another major version)");
            }

            if (!Expected.Scope.Equals(Actual.Scope))
                parts.Add("files that only one side's scope covers");

            var gaps = Expected.Gaps.Union(Actual.Gaps).ToList();
            foreach (var gap in gaps.Take(3))
                parts.Add($"{KeyText.Format(gap.Kind, gap.Prefix.Bytes)} ({gap.Reason})");
            if (gaps.Count > 3)
                parts.Add($"{gaps.Count - 3} more gaps");

            return parts.Count == 0 ? null : "not compared: " + string.Join("; ", parts);
        }
    }
}
