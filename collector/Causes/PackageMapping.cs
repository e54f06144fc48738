using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>Package transactions between messages and model.</summary>
internal static class PackageMapping
{
    private const int MaxPackages = 2_000;

    /// <exception cref="BadMessageException">More than a package manager does.</exception>
    public static PackageTransaction ToModel(this V1.PackageTransaction message)
    {
        if (message.Packages.Count > MaxPackages)
            throw new BadMessageException($"{message.Packages.Count} packages of one transaction, {MaxPackages} is the limit");

        return new PackageTransaction(
            PeerText.Name(message.Id, "a transaction's id"),
            PeerText.Name(message.Manager, "a package manager"),
            message.BeganAt.ToTime("began_at"),
            message.EndedAt?.ToTime("ended_at"),
            [.. message.Packages.Select(ToModel).Order()]);
    }

    public static PackageTransition ToModel(this V1.PackageTransition message) => new(
        PeerText.Name(message.Name, "a package's name"),
        PeerText.Name(message.Architecture, "an architecture"),
        PeerText.Name(message.FromVersion, "a version"),
        PeerText.Name(message.ToVersion, "a version"));

    public static V1.PackageTransaction ToMessage(this PackageTransaction transaction)
    {
        var message = new V1.PackageTransaction
        {
            Id = transaction.Id,
            Manager = transaction.Manager,
            BeganAt = transaction.BeganAt.ToTimestamp(),
            EndedAt = transaction.EndedAt?.ToTimestamp(),
        };
        message.Packages.AddRange(transaction.Packages.Select(ToMessage));
        return message;
    }

    public static V1.PackageTransition ToMessage(this PackageTransition package) => new()
    {
        Name = package.Name,
        Architecture = package.Architecture,
        FromVersion = package.From,
        ToVersion = package.To,
    };
}
