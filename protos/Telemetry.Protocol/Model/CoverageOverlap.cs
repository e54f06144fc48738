namespace Telemetry.Protocol.Model;

/// <summary>What two manifests both say something about. Elsewhere they cannot be compared, and nothing is concluded.</summary>
public sealed record CoverageOverlap(Coverage Expected, Coverage Actual)
{
    /// <summary>
    /// Whether the actual side says something about all that the expected one does. Where it does not, what was certified once is looked
    /// at no more, and that nothing differs there means nothing.
    /// </summary>
    public bool ReachesExpected =>
        !Expected.Scope.FilesBeyond(Actual.Scope).Any()
        && Expected.Scope.Parsed.All(Actual.Scope.Parsed.Contains)
        && Expected.Scope.Sysctls.All(Actual.Scope.Sysctls.Contains)
        && Expected.Scanners.All(scanner => Actual.Scanners.Any(scanner.IsComparableWith))
        && !Actual.Gaps.Any(IsNew);

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

            if (FilesOf(Expected.Scope, Actual.Scope) is { } onlyExpected)
                parts.Add($"{onlyExpected} (only what is expected covers them)");
            if (FilesOf(Actual.Scope, Expected.Scope) is { } onlyActual)
                parts.Add($"{onlyActual} (only what is there covers them)");
            if (!NamesTheSame(Expected.Scope, Actual.Scope))
                parts.Add("settings and kernel parameters that only one side's policy names");

            var gaps = Expected.Gaps.Union(Actual.Gaps).ToList();
            foreach (var gap in gaps.Take(3))
                parts.Add($"{KeyText.Format(gap.Kind, gap.Prefix.Bytes)} ({gap.Reason})");
            if (gaps.Count > 3)
                parts.Add($"{gaps.Count - 3} more gaps");

            return parts.Count == 0 ? null : "not compared: " + string.Join("; ", parts);
        }
    }

    /// <summary>Whether a gap of the actual side is, or may be, where the expected one says something.</summary>
    private bool IsNew(Gap gap) =>
        !Expected.Gaps.Any(known => known.Kind == gap.Kind && gap.Prefix.IsUnder(known.Prefix))
        && (Expected.Scope.Covers(gap.Kind, gap.Prefix.Bytes) || Expected.Scope.Include.Any(path => path.IsUnder(gap.Prefix)));

    private static string? FilesOf(Scope scope, Scope other)
    {
        const int MaxNamed = 3;
        var paths = scope.FilesBeyond(other).Select(path => KeyText.Format(EntryKind.File, path.Bytes)).ToList();
        return paths.Count == 0 ? null
            : $"files below {string.Join(", ", paths.Take(MaxNamed))}{(paths.Count > MaxNamed ? $" and {paths.Count - MaxNamed} more" : "")}";
    }

    private static bool NamesTheSame(Scope left, Scope right) => left.Parsed.SequenceEqual(right.Parsed) && left.Sysctls.SequenceEqual(right.Sysctls);
}
