using Telemetry.Collector.Policies;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Fleet;

/// <summary>Instances by what people call them: an id, or a name that only one of them has.</summary>
internal static class InstanceName
{
    /// <exception cref="UnknownInstanceException">None is called so, or several are.</exception>
    public static Instance Find(StoreTransaction transaction, string text) => TryFind(transaction, text)
        ?? throw new UnknownInstanceException($"There is no instance '{text}'; {KnownNames.Some(transaction.Instances.All().Select(instance => $"{instance.Id} ({instance.Name})"))}. 'telemetryctl instances list' shows all.");

    /// <exception cref="UnknownInstanceException">Several are called so.</exception>
    public static Instance? TryFind(StoreTransaction transaction, string text) =>
        transaction.Instances.Find(text) ?? transaction.Instances.Named(text) switch
        {
            [] => null,
            [var only] => only,
            var several => throw new UnknownInstanceException($"{several.Count} instances are named '{text}'; {KnownNames.Some(several.Select(instance => instance.Id))}. Say which by its id."),
        };
}

/// <summary>What there is, for who asked for what there is not.</summary>
internal static class KnownNames
{
    private const int MaxShown = 10;

    public static string Some(IEnumerable<string> names)
    {
        var all = names.Distinct().Order(StringComparer.Ordinal).ToList();
        return all.Count switch
        {
            0 => "there is none yet",
            <= MaxShown => $"there are {string.Join(", ", all)}",
            _ => $"there are {string.Join(", ", all.Take(MaxShown))} and {all.Count - MaxShown} more",
        };
    }
}
