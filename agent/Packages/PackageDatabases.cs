namespace Telemetry.Agent.Packages;

/// <summary>The package managers this program knows, in the order of their keys.</summary>
internal static class PackageDatabases
{
    public static IReadOnlyList<IPackageFiles> Files(string root, TimeProvider clock) => [new DpkgFiles(root), new RpmFiles(root, clock)];
}
