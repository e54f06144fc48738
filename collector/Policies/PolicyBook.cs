using System.Collections.Concurrent;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Policies;

/// <summary>The policies in force: of each name the newest version, each version parsed once.</summary>
internal sealed class PolicyBook
{
    private readonly ConcurrentDictionary<(string Name, int Version), PolicyVersion> _parsed = new();

    /// <summary>The version of a policy that is in force; null when there is no such policy.</summary>
    public PolicyVersion? Find(StoreTransaction transaction, string name)
    {
        var version = transaction.Policies.NewestVersion(name);
        return version > 0 ? _parsed.GetOrAdd((name, version), _ => Parse(transaction.Policies.Get(name, version)))
            : name == PolicyVersion.Shipped.Name ? PolicyVersion.Shipped
            : null;
    }

    /// <summary>The policies in force, by name; the default is always among them.</summary>
    public IReadOnlyList<PolicyVersion> All(StoreTransaction transaction) =>
        [.. transaction.Policies.Names().Append(PolicyVersion.Shipped.Name).Distinct().Order(StringComparer.Ordinal)
            .Select(name => Find(transaction, name)!)];

    /// <summary>What a line judges by.</summary>
    public PolicyVersion OfLine(StoreTransaction transaction, string line) => Find(transaction, transaction.Policies.OfLine(line))!;

    /// <summary>What an instance goes by: the policy of the line that judges it, else the default.</summary>
    public PolicyVersion Of(StoreTransaction transaction, Instance instance) =>
        Binding.LineOf(instance, transaction.Baselines.Bindings()).Line is { } line
            ? OfLine(transaction, line)
            : Find(transaction, PolicyVersion.Shipped.Name)!;

    private static PolicyVersion Parse(StoredPolicy stored) => new(
        stored.Version,
        stored.Text,
        new Yardstick(PolicyFile.Parse(stored.Text, $"{stored.Name}, version {stored.Version}")),
        stored.CreatedAt,
        stored.SetBy);
}
