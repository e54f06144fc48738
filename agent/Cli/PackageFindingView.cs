using System.Globalization;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary>A packaged file that is not as its package has it, as <c>verify</c> writes it.</summary>
internal sealed record PackageFindingView
{
    public required string Path { get; init; }

    /// <summary>The package's own name for it, where that is another one.</summary>
    public string? ListedAs { get; init; }

    /// <summary>Key of the package.</summary>
    public required string Package { get; init; }

    /// <summary><c>missing</c>, <c>changed</c> or <c>unreadable</c>.</summary>
    public required string Change { get; init; }

    /// <summary>Meant to be edited on the machine.</summary>
    public required bool Conffile { get; init; }

    /// <summary>Any of <c>type</c>, <c>mode</c>, <c>user</c>, <c>group</c>, <c>size</c>, <c>target</c>, <c>content</c>.</summary>
    public required IReadOnlyList<string> Differs { get; init; }

    /// <summary>What differs, as the package has it.</summary>
    public AttributesView? Expected { get; init; }

    /// <summary>What differs, as it is.</summary>
    public AttributesView? Actual { get; init; }

    public string? Reason { get; init; }

    public static PackageFindingView Of(PackageFinding finding) => new()
    {
        Path = KeyText.Format(EntryKind.File, finding.File.Path.Bytes),
        ListedAs = finding.File.ListedAs?.ToString(),
        Package = KeyText.Format(EntryKind.Package, finding.File.Package.Bytes),
        Change = finding.Change switch
        {
            PackageChange.Missing => "missing",
            PackageChange.Changed => "changed",
            _ => "unreadable",
        },
        Conffile = finding.File.IsConffile,
        Differs = [.. Words.Where(word => finding.Differences.HasFlag(word.Difference)).Select(word => word.Word)],
        Expected = finding.Actual is null ? null : AttributesView.Of(finding.File, finding.Differences),
        Actual = finding.Actual is null ? null : AttributesView.Of(finding.Actual, finding.Differences),
        Reason = finding.Reason,
    };

    public string Row() =>
        $"{Change,-10} {Path,-56} {Package,-40}{(Conffile ? " (conffile)" : "")} {Reason ?? string.Join(", ", Differs)}".TrimEnd();

    private static IReadOnlyList<(PackageDifferences Difference, string Word)> Words { get; } =
    [
        (PackageDifferences.Type, "type"),
        (PackageDifferences.Mode, "mode"),
        (PackageDifferences.User, "user"),
        (PackageDifferences.Group, "group"),
        (PackageDifferences.Size, "size"),
        (PackageDifferences.Target, "target"),
        (PackageDifferences.Content, "content"),
    ];

    internal sealed record AttributesView
    {
        public string? Type { get; init; }

        public string? Mode { get; init; }

        public string? User { get; init; }

        public string? Group { get; init; }

        public ulong? Size { get; init; }

        public string? Target { get; init; }

        /// <summary>Such as <c>md5</c>.</summary>
        public string? Algorithm { get; init; }

        public string? Digest { get; init; }

        public static AttributesView Of(PackageFile file, PackageDifferences shown)
        {
            var digest = shown.HasFlag(PackageDifferences.Content) ? file.Digest : null;
            return new()
            {
                Type = shown.HasFlag(PackageDifferences.Type) && file.Type is { } type ? EntryWords.Of(type) : null,
                Mode = shown.HasFlag(PackageDifferences.Mode) && file.Mode is { } mode ? Convert.ToString((int)mode, 8).PadLeft(4, '0') : null,
                User = shown.HasFlag(PackageDifferences.User) ? file.User?.ToString() : null,
                Group = shown.HasFlag(PackageDifferences.Group) ? file.Group?.ToString() : null,
                Size = shown.HasFlag(PackageDifferences.Size) ? file.Size : null,
                Target = shown.HasFlag(PackageDifferences.Target) ? file.Target?.ToString() : null,
                Algorithm = digest?.Algorithm.ToLower(CultureInfo.InvariantCulture),
                Digest = digest?.ToString(),
            };
        }
    }
}
