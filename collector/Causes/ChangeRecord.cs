using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>How an entry belongs to a package transaction. The numbers are stored and sent.</summary>
internal enum Membership
{
    None = 0,

    /// <summary>It is what the packages' own digests say, or the package entry itself.</summary>
    Verified = 1,

    /// <summary>A package process made it, such as a maintainer script, and no package's list has it.</summary>
    Unverified = 2,

    /// <summary>It changed meanwhile and is not what its package says: the real drift, no part of the transaction.</summary>
    Residue = 3,
}

/// <summary>Who made a change, and in which transaction: annotates deviations, never decides.</summary>
/// <param name="Fingerprint">Encoded, as the entry was then; empty: it was gone.</param>
/// <param name="ObservedAt">By the agent's clock, corrected by how far that is off once it is known.</param>
/// <param name="Actor">Null: unknown.</param>
/// <param name="Transaction">Null: none.</param>
internal sealed record ChangeRecord(
    EntryKind Kind,
    EntryKey Key,
    byte[] Fingerprint,
    DateTimeOffset ObservedAt,
    Actor? Actor,
    PackageTransaction? Transaction,
    Membership Membership);
