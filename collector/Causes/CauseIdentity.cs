using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>Which cause a deviation belongs to, before it is known whether there is one already. Pure.</summary>
/// <param name="Key">The same for all that may share a cause.</param>
/// <param name="Window">How far from its beginning a cause takes others in; null: for ever.</param>
/// <param name="At">The agent's clock; of a decision the collector's.</param>
internal sealed record CauseIdentity(
    CauseKind Kind, Digest Key, TimeSpan? Window, string Summary, ImmutableArray<PackageTransition> Packages, DateTimeOffset At)
{
    /// <summary>Of a decision: whose token it was.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>What one actor does within this is one burst. A fixed length: a slow, endless series is not one cause.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromSeconds(60);

    /// <param name="line">Of the baseline that judges the instance.</param>
    /// <returns>Null: the record explains nothing.</returns>
    public static CauseIdentity? Of(
        Actor? actor, PackageTransaction? transaction, Membership membership, string instanceId, string line, DateTimeOffset observedAt)
    {
        if (transaction is not null && membership is Membership.Verified or Membership.Unverified)
            return OfPackages(transaction, instanceId, line);
        return actor is { IsKnown: true } ? OfActor(actor, instanceId, observedAt) : null;
    }

    /// <summary>What nobody told of: one cause for each head of an instance.</summary>
    public static CauseIdentity Unexplained(InstanceHead head) => new(
        CauseKind.Unexplained,
        KeyOf("unexplained", head.InstanceId, $"{head.Position.Epoch}", $"{head.Position.Sequence}"),
        Window: null,
        $"unexplained changes on {head.InstanceId}",
        [],
        head.ObservedAt);

    /// <summary>What somebody decided about what judges instances: each time a cause of its own.</summary>
    public static CauseIdentity Decision(JudgedAnew reason) => new(
        CauseKind.Decision,
        KeyOf("decision", reason.By, reason.What, reason.At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)),
        Window: null,
        PeerText.Plain($"{reason.By} {reason.What}".TrimStart()),
        [],
        reason.At)
    {
        DecidedBy = reason.By.Length == 0 ? null : reason.By,
    };

    /// <summary>What an instance made for itself when it first started.</summary>
    public static CauseIdentity FirstBoot(InstanceHead head) => new(
        CauseKind.FirstBoot, KeyOf("first boot", head.InstanceId), Window: null, $"first boot of {head.InstanceId}", [], head.ObservedAt);

    /// <summary>What other instances became after one: a cause for each cause of that one.</summary>
    public static CauseIdentity Rollout(Cause first, string firstInstanceId, DateTimeOffset observedAt) => new(
        CauseKind.Rollout,
        KeyOf("rollout", first.Id.ToString(CultureInfo.InvariantCulture)),
        Window: null,
        $"rollout of what {firstInstanceId} has from {Cause.IdText(first.Id)}: {first.Summary}",
        [],
        observedAt);

    /// <summary>By what was done, not by when or where: instances of a line that do the same join the same cause.</summary>
    private static CauseIdentity OfPackages(PackageTransaction transaction, string instanceId, string line)
    {
        // Of an empty list it can't be said that another one is the same.
        var parts = new List<string> { "packages", line, transaction.Manager };
        if (transaction.Packages.IsEmpty)
            parts.AddRange([instanceId, transaction.Id]);
        foreach (var package in transaction.Packages.Order())
            parts.AddRange([package.Name, package.Architecture, package.From, package.To]);
        return new(
            CauseKind.Packages,
            KeyOf([.. parts]),
            Window: null,
            CauseText.Of(transaction),
            transaction.Packages,
            transaction.BeganAt);
    }

    private static CauseIdentity OfActor(Actor actor, string instanceId, DateTimeOffset observedAt) => new(
        CauseKind.Actor,
        KeyOf("actor", instanceId, actor.Executable, Number(actor.Uid), Number(actor.LoginUid), actor.Unit),
        Burst,
        CauseText.Of(actor),
        [],
        observedAt);

    private static string Number(uint? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>Each part behind its length, so that no two lists of parts read the same.</summary>
    private static Digest KeyOf(params ReadOnlySpan<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        return Digest.Of(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
