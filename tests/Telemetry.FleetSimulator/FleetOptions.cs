namespace Telemetry.FleetSimulator;

/// <summary>What fleet is played, and how.</summary>
/// <param name="Collector">Where agents connect.</param>
/// <param name="Agents">How many.</param>
/// <param name="Entries">Of the base that all of them share.</param>
/// <param name="Own">Entries in which an agent differs from the base.</param>
/// <param name="Points">In each batch of metrics.</param>
/// <param name="Interval">Between batches of metrics of one agent.</param>
/// <param name="Drift">Changes a second, over the whole fleet.</param>
/// <param name="Duration">From the moment that all are connected.</param>
/// <param name="Seed">The same seed makes the same fleet.</param>
/// <param name="ConnectsPerSecond">At the start; who is refused or cut off comes back by itself.</param>
/// <param name="Operators">Where operators connect. Null: nothing is certified, so nothing deviates.</param>
/// <param name="TokenFile">Holds the admin's token.</param>
/// <param name="Storm">Agents that lose their connections, all at once, and come back, after the duration.</param>
/// <param name="AwaitsRestart">Whether the collector is killed and started again after the duration, and how long it takes until all are back is measured.</param>
/// <param name="Stays">Whether all go on until they are stopped, after everything was told.</param>
internal sealed record FleetOptions(
    Uri Collector,
    int Agents,
    int Entries,
    int Own,
    int Points,
    TimeSpan Interval,
    double Drift,
    TimeSpan Duration,
    int Seed,
    int ConnectsPerSecond,
    Uri? Operators,
    string? TokenFile,
    int Storm,
    bool AwaitsRestart,
    bool Stays);
