using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.Storage;

/// <summary>How states are kept.</summary>
/// <param name="History">How long what an instance was, and deviations that are closed, can be asked for. What is now is always kept.</param>
internal sealed record StoreOptions(TimeSpan History)
{
    private static readonly TimeSpan DefaultHistory = TimeSpan.FromDays(400);
    private static readonly TimeSpan ShortestHistory = TimeSpan.FromDays(1);

    public static StoreOptions Read(SettingsSection section)
    {
        if (section.Text("kind", "sqlite") != "sqlite")
            section.Fail("kind", "must be \"sqlite\"; this version has no other store.");
        return new StoreOptions(section.Duration("history", DefaultHistory, ShortestHistory));
    }
}
