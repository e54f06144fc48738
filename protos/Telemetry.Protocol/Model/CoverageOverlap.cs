namespace Telemetry.Protocol.Model;

/// <summary>What two manifests both say something about. Elsewhere they cannot be compared, and nothing is concluded.</summary>
public sealed record CoverageOverlap(Coverage Expected, Coverage Actual)
{
    /// <summary>
    /// Whether the actual side says something about all that the expected one does. Where it does not, what was certified once is looked
    /// at no more, and that nothing differs there means nothing.
    /// </summary>
    public bool ReachesExpected =>
        (HaveOneScope || ScopeReaches())
        && Expected.Scanners.All(scanner => Actual.Scanners.Any(scanner.IsComparableWith))
        && !Actual.Gaps.Any(IsNew);

    // Nearly always: then no path is looked at.
    private bool HaveOneScope => Expected.Scope.Equals(Actual.Scope);

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

            if (!HaveOneScope)
                parts.AddRange(PartsOfScopes());

            var gaps = Expected.Gaps.Union(Actual.Gaps).ToList();
            foreach (var gap in gaps.Take(3))
                parts.Add($"{Shown(gap.Kind, gap.Prefix)} ({gap.Reason})");
            if (gaps.Count > 3)
                parts.Add($"{gaps.Count - 3} more gaps");

            return parts.Count == 0 ? null : "not compared: " + string.Join("; ", parts);
        }
    }

    private bool ScopeReaches() =>
        !Expected.Scope.FilesBeyond(Actual.Scope).Any()
        && Expected.Scope.Parsed.All(Actual.Scope.Parsed.Contains)
        && Expected.Scope.Sysctls.All(Actual.Scope.Sysctls.Contains);

    private IEnumerable<string> PartsOfScopes()
    {
        if (FilesOf(Expected.Scope, Actual.Scope) is { } onlyExpected)
            yield return $"{onlyExpected} (only what is expected covers them)";
        if (FilesOf(Actual.Scope, Expected.Scope) is { } onlyActual)
            yield return $"{onlyActual} (only what is there covers them)";
        if (!NamesTheSame(Expected.Scope, Actual.Scope))
            yield return "settings and kernel parameters that only one side's policy names";
    }

    /// <summary>Whether a gap of the actual side is, or may be, where the expected one says something.</summary>
    private bool IsNew(Gap gap) =>
        !Expected.HasGapAt(gap.Kind, gap.Prefix.Bytes)
        && (Expected.Scope.Covers(gap.Kind, gap.Prefix.Bytes) || Expected.Scope.Include.Any(path => path.IsUnder(gap.Prefix)));

    private static string? FilesOf(Scope scope, Scope other)
    {
        const int MaxNamed = 3;
        var paths = scope.FilesBeyond(other).Select(path => Shown(EntryKind.File, path)).ToList();
        return paths.Count == 0 ? null
            : $"files below {string.Join(", ", paths.Take(MaxNamed))}{(paths.Count > MaxNamed ? $" and {paths.Count - MaxNamed} more" : "")}";
    }

    /// <summary>Its beginning: an agent may name paths of any length, and this is kept and listed for each instance.</summary>
    private static string Shown(EntryKind kind, EntryKey key)
    {
        const int MaxShown = 200;
        var text = KeyText.Format(kind, key.Bytes);
        return text.Length <= MaxShown ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown), "…");
    }

    private static bool NamesTheSame(Scope left, Scope right) => left.Parsed.SequenceEqual(right.Parsed) && left.Sysctls.SequenceEqual(right.Sysctls);
}
