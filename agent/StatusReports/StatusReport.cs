using System.Text.Json.Serialization;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Uplink;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.StatusReports;

/// <summary>What a running agent says of itself. No secret is in it: no content, no digest but those of whole trees, no credential.</summary>
internal sealed record StatusReport
{
    public required string Version { get; init; }

    public required int Pid { get; init; }

    public required DateTime StartedAt { get; init; }

    public required string Instance { get; init; }

    /// <summary>Tells agents of one machine apart.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>The state directory can't be used: state is kept in memory, and lost when the agent ends.</summary>
    public required bool InMemory { get; init; }

    /// <summary>Why it can't be used; null when it can.</summary>
    public string? InMemoryReason { get; init; }

    public required ConnectionStatus Connection { get; init; }

    /// <summary>Null: the collector has none of this agent's heads.</summary>
    public AckStatus? LastAck { get; init; }

    /// <summary>Null before the first complete look.</summary>
    public HeadStatus? Head { get; init; }

    public required CoverageStatus Coverage { get; init; }

    public required LossStatus Losses { get; init; }

    /// <summary>What waits to be acknowledged; the more important lane first.</summary>
    public required IReadOnlyList<SpoolStatus> Spool { get; init; }

    public required MemoryStatus Memory { get; init; }

    public required WatchStatus Watch { get; init; }
}

/// <param name="Collector">Null: none is configured.</param>
/// <param name="State">none, connecting, connected, disconnected or refused.</param>
/// <param name="Reason">Why not connected.</param>
internal sealed record ConnectionStatus(string? Collector, string State, DateTime Since, string? Reason)
{
    public static ConnectionStatus Of(Uri? collector, LinkState link) => new(
        collector?.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped),  // without a name and password
        link.Condition.ToString().ToLowerInvariant(),
        link.Since.UtcDateTime,
        link.Reason);
}

/// <param name="At">Null: before the agent started.</param>
internal sealed record AckStatus(ulong Epoch, ulong Sequence, bool IsCurrent, DateTime? At);

/// <param name="ObservedAt">When this state was first seen.</param>
/// <param name="LookedAt">When everything was last looked at.</param>
/// <param name="Roots">By kind.</param>
/// <param name="Entries">By kind; null when they can't be counted now.</param>
internal sealed record HeadStatus(
    ulong Epoch,
    ulong Sequence,
    DateTime ObservedAt,
    DateTime? LookedAt,
    IReadOnlyDictionary<string, string> Roots,
    IReadOnlyDictionary<string, long>? Entries);

/// <param name="Watched">What is covered how.</param>
/// <param name="Gaps">The first of them.</param>
/// <param name="GapsTotal">How many there are.</param>
/// <param name="Missing">Paths that are included by the configuration, and were not there at the last look. Null: an older agent says nothing of it.</param>
internal sealed record CoverageStatus(IReadOnlyList<WatchedStatus> Watched, IReadOnlyList<GapStatus> Gaps, int GapsTotal, IReadOnlyList<string>? Missing);

/// <param name="Path">Of a filesystem, as far as it lies below.</param>
/// <param name="Reason">Why not better.</param>
internal sealed record WatchedStatus(string Path, string Method, string? Reason);

internal sealed record GapStatus(string Key, string Reason);

/// <param name="Count">Since the agent started.</param>
internal sealed record LossStatus(long Count, LossWindowStatus? Last);

internal sealed record LossWindowStatus(DateTime From, DateTime To, string Reason)
{
    public static LossWindowStatus? Of(LossWindow? window) =>
        window is null ? null : new LossWindowStatus(window.From.UtcDateTime, window.To.UtcDateTime, window.Reason);
}

/// <param name="Lane">changes (who made which), checks (their states) or health (metrics).</param>
/// <param name="Records">That are not acknowledged.</param>
/// <param name="Bytes">On disk, and in memory if the disk can't be written to.</param>
/// <param name="Oldest">Of what is not acknowledged.</param>
/// <param name="Dropped">Points or changes that gave way to newer ones, since the agent started.</param>
/// <param name="Damaged">Points or changes that could not be read again, since the agent started.</param>
/// <param name="Reason">Why it is in memory.</param>
internal sealed record SpoolStatus(string Lane, long Records, long Bytes, DateTime? Oldest, long Dropped, long Damaged, bool InMemory, string? Reason)
{
    public static SpoolStatus Of(SpoolLaneStatus lane) => new(
        lane.Name, lane.Records, lane.Bytes, lane.Oldest?.UtcDateTime, lane.Dropped, lane.Damaged, lane.Failure is not null, lane.Failure);
}

/// <param name="Resident">Bytes; null when the kernel does not say.</param>
/// <param name="Peak">Bytes, since the agent started.</param>
internal sealed record MemoryStatus(long? Resident, long? Peak);

/// <param name="Events">That the kernel told since the agent started.</param>
/// <param name="Overflows">How often it had more to tell than it kept.</param>
/// <param name="Directories">That are watched one by one, by inotify.</param>
/// <param name="Waiting">Paths that are to be looked at.</param>
/// <param name="UntoldActors">Changes of which nobody is told who made them, because more waited to be told than there is room for.</param>
internal sealed record WatchStatus(long Events, long Overflows, int Directories, int Waiting, long UntoldActors);

[JsonSerializable(typeof(StatusReport))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class StatusJson : JsonSerializerContext;
