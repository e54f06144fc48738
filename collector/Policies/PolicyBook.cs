using System.Collections.Concurrent;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Policies;

/// <summary>The policies in force: of each name the newest version, parsed once as long as its text is the same.</summary>
internal sealed class PolicyBook
{
    // A number does not name a text for ever: one that a writer saw may never be committed, and another gets its number.
    private readonly ConcurrentDictionary<string, PolicyVersion> _parsed = new(StringComparer.Ordinal);

    /// <summary>The version of a policy that is in force; null when there is no such policy.</summary>
    public PolicyVersion? Find(StoreTransaction transaction, string name)
    {
        if (transaction.Policies.Newest(name) is not { } stored)
            return name == PolicyVersion.Shipped.Name ? PolicyVersion.Shipped : null;
        if (_parsed.TryGetValue(name, out var parsed) && parsed.Is(stored))
            return parsed;
        return _parsed[name] = Parse(stored);
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
