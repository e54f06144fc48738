using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary>The packages that own one path.</summary>
internal sealed record PackageOwnersView
{
    /// <summary>As it was asked for.</summary>
    public required string Path { get; init; }

    /// <summary>Where it really lies, if that is elsewhere: behind a link such as <c>/bin</c>.</summary>
    public string? RealPath { get; init; }

    /// <summary>Keys; empty when there is none.</summary>
    public required IReadOnlyList<string> Packages { get; init; }

    public static PackageOwnersView Of(EntryKey asked, EntryKey real, IReadOnlyList<PackageFile> owners) => new()
    {
        Path = KeyText.Format(EntryKind.File, asked.Bytes),
        RealPath = real == asked ? null : KeyText.Format(EntryKind.File, real.Bytes),
        Packages = [.. owners.Select(owner => KeyText.Format(EntryKind.Package, owner.Package.Bytes)).Distinct()],
    };

    public IEnumerable<string> Rows() => Packages.Count == 0 ? [$"{Path,-56} -"] : Packages.Select(package => $"{Path,-56} {package}");
}
