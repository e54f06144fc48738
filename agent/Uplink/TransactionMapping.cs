using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Telemetry.Agent.Uplink;

/// <summary>From what a package transaction did to what is said of it.</summary>
internal static class TransactionMapping
{
    public static PackageTransaction ToMessage(this TransactionReport report)
    {
        var transaction = report.Transaction;
        var message = new PackageTransaction
        {
            Id = transaction.Id,
            Manager = transaction.Manager,
            BeganAt = Timestamp.FromDateTimeOffset(transaction.BeganAt),
            EndedAt = transaction.EndedAt is { } endedAt ? Timestamp.FromDateTimeOffset(endedAt) : null,
        };
        message.Packages.AddRange(report.Packages.Select(package => new Protocol.V1.PackageTransition
        {
            Name = package.Name,
            Architecture = package.Architecture,
            FromVersion = package.From ?? "",
            ToVersion = package.To ?? "",
        }));
        return message;
    }

    public static Membership ToMessage(this TransactionMembership membership) => membership switch
    {
        TransactionMembership.Verified => Membership.Verified,
        TransactionMembership.Unverified => Membership.Unverified,
        TransactionMembership.Residue => Membership.Residue,
        _ => Membership.Unspecified,
    };
}
