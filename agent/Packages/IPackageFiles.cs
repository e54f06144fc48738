using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Which files the packages of one package manager own, read from its database each time.</summary>
internal interface IPackageFiles
{
    /// <summary>First component of the packages' keys: <c>dpkg</c> or <c>rpm</c>.</summary>
    string Manager { get; }

    /// <summary>Changes whenever what <see cref="Read"/> hands out may have.</summary>
    /// <returns>Null when there is no such database below the root.</returns>
    Digest? State();

    /// <summary>Hands out all files, package by package in no order.</summary>
    /// <param name="wanted">Which packages to hand out, by their key.</param>
    /// <param name="mistake">Takes, for people, what could not be read; the rest goes on.</param>
    void Read(Predicate<EntryKey> wanted, Action<PackageFile> file, Action<string> mistake, CancellationToken cancellation);
}
