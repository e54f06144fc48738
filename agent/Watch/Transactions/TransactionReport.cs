using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>How an entry belongs to a transaction.</summary>
internal enum TransactionMembership
{
    /// <summary>Another process changed it, and no package lists it: drift like any other.</summary>
    None,

    /// <summary>It is what its package says, or gone with its package.</summary>
    Verified,

    /// <summary>Made by a package process, and in no package's list: by a maintainer script, as an alternative, as a cache.</summary>
    Unverified,

    /// <summary>In a package's list, and not what it says.</summary>
    Residue,
}

/// <summary>What a transaction did, held against the packages' own digests.</summary>
/// <param name="Memberships">Of every file that changed meanwhile.</param>
/// <param name="Mistakes">For people: what of the package database could not be read.</param>
internal sealed record TransactionReport(
    CompletedTransaction Transaction,
    IReadOnlyList<PackageTransition> Packages,
    IReadOnlyDictionary<EntryKey, TransactionMembership> Memberships,
    IReadOnlyList<string> Mistakes)
{
    /// <summary>Whether it did something to a package.</summary>
    public bool Does(ReadOnlySpan<byte> package)
    {
        foreach (var transition in Packages)
        {
            if (transition.Key.Bytes.SequenceEqual(package))
                return true;
        }

        return false;
    }

    /// <param name="before">The packages' entries as they were when the transaction began.</param>
    /// <param name="after">As they are now.</param>
    /// <param name="wasOwned">Whether a package owned a path before: of the index as it was then.</param>
    public static TransactionReport Of(
        CompletedTransaction transaction,
        IReadOnlyDictionary<EntryKey, Fingerprint> before,
        IReadOnlyDictionary<EntryKey, Fingerprint> after,
        Predicate<EntryKey> wasOwned,
        PackageFileIndex owners,
        RootedTree tree,
        TimeProvider clock,
        CancellationToken cancellation)
    {
        var verifier = new PackageVerifier(tree, clock);
        var memberships = new Dictionary<EntryKey, TransactionMembership>();
        var touched = new HashSet<EntryKey>();
        foreach (var change in transaction.Changes)
        {
            var owned = owners.Owners(change.Key);
            memberships[change.Key] = owned.Count > 0
                ? Listed(change, owned, verifier, cancellation)
                : Unlisted(change, wasOwned, tree);

            // Directories have many owners, and change with every package.
            if (change.Belonging != Belonging.Outside)
                touched.UnionWith(owned.Where(file => file.Digest is not null && !file.IsConffile).Select(file => file.Package));
        }

        return new TransactionReport(
            transaction, PackageStates.Transitions(transaction.Manager, before, after, touched), memberships, owners.Mistakes);
    }

    /// <summary>
    /// What is as one of its packages says is verified; what a package says nothing of can't be. A package does not say everything
    /// (dpkg's nothing of modes), so what another process made is never verified: it may match in what is compared.
    /// </summary>
    private static TransactionMembership Listed(
        in TransactionChange change, IReadOnlyList<PackageFile> owned, PackageVerifier verifier, CancellationToken cancellation)
    {
        var (isVerified, differs) = (false, true);
        foreach (var file in owned)
        {
            var isAsListed = verifier.Check(file, cancellation) is null;
            differs &= !isAsListed;
            isVerified |= isAsListed && (file.Digest is not null || file.Type is not null);
        }

        if (differs)
            return TransactionMembership.Residue;
        if (change.Belonging == Belonging.Outside)
            return TransactionMembership.None;
        return isVerified ? TransactionMembership.Verified : TransactionMembership.Unverified;
    }

    private static TransactionMembership Unlisted(in TransactionChange change, Predicate<EntryKey> wasOwned, RootedTree tree)
    {
        if (wasOwned(change.Key))
            return Errno.IsGone(tree.Status(change.Key.Bytes, out _)) ? TransactionMembership.Verified : TransactionMembership.Residue;
        return change.Belonging == Belonging.Outside ? TransactionMembership.None : TransactionMembership.Unverified;
    }
}
