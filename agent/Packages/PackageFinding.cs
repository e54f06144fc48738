namespace Telemetry.Agent.Packages;

internal enum PackageChange
{
    /// <summary>The package has it, the disk does not.</summary>
    Missing,

    /// <summary>It is there, and differs.</summary>
    Changed,

    /// <summary>It is there, and could not be read: nothing is known of its content.</summary>
    Unreadable,
}

/// <summary>What a file may differ in from its package's record.</summary>
[Flags]
internal enum PackageDifferences
{
    None = 0,
    Type = 1,
    Mode = 2,
    User = 4,
    Group = 8,
    Size = 16,
    Target = 32,
    Content = 64,
}

/// <summary>A packaged file that is not as its package has it.</summary>
/// <param name="Actual">What is there, of what differs.</param>
/// <param name="Reason">Of <see cref="PackageChange.Unreadable"/>, for people.</param>
internal sealed record PackageFinding(
    PackageFile File, PackageChange Change, PackageDifferences Differences = PackageDifferences.None, PackageFile? Actual = null, string? Reason = null);
