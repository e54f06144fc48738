using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Watch;

/// <summary>Where a change came from, as far as could be told.</summary>
/// <param name="SeenAt">When the change was.</param>
/// <param name="By">Null: who made it is not known.</param>
internal sealed record ChangeOrigin(DateTimeOffset SeenAt, SeenActor? By)
{
    /// <summary>The package transaction it was made in; null: none.</summary>
    public TransactionReport? Transaction { get; init; }

    public TransactionMembership Membership { get; init; }
}
