using System.Text.Json.Serialization;
using Telemetry.Collector.Checks;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Fleet;

/// <summary>An instance as people and programs read it: the JSON of <c>instances</c>.</summary>
internal sealed record InstanceView
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string State { get; init; }

    public string? Group { get; init; }

    public string? Customer { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public string? Image { get; init; }

    public string? Baseline { get; init; }

    /// <summary>The version it differs from least while no line judges it. Only where one instance is shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NearestView? Nearest { get; init; }

    /// <summary>Of the layers on it, by layer and name. Only where one instance is shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CheckView>? Checks { get; init; }

    public HeadView? Head { get; init; }

    /// <summary>Nobody decided on them.</summary>
    public uint OpenDeviations { get; init; }

    /// <summary>Acknowledged, waived or approved, and not closed.</summary>
    public uint DecidedDeviations { get; init; }

    /// <summary>What the last comparison left out.</summary>
    public string? Comparison { get; init; }

    public required string AgentVersion { get; init; }

    public DateTime LastSeen { get; init; }

    /// <summary>When another machine last claimed to be this instance while it was connected; null: never.</summary>
    public DateTime? ContestedAt { get; init; }

    /// <summary>Deliveries of metrics that never came though later ones did.</summary>
    public ulong MissingBatches { get; init; }

    /// <summary>When that was noticed last; null: never.</summary>
    public DateTime? MissingNoticedAt { get; init; }

    /// <summary>How often it had an acknowledgement of what the collector's store does not have: that was put back to an older copy.</summary>
    public ulong StoreReturns { get; init; }

    /// <summary>When it did last; null: never.</summary>
    public DateTime? StoreReturnedAt { get; init; }

    /// <summary>How far its clock is behind the collector's; less than 0: ahead. Null: never measured.</summary>
    public double? ClockOffsetSeconds { get; init; }

    public static InstanceView Of(V1.Instance instance) => new()
    {
        Id = instance.Id,
        Name = instance.Name,
        State = instance.State.ToString().ToLowerInvariant(),
        Group = NullIfEmpty(instance.Group),
        Customer = NullIfEmpty(instance.Customer),
        Tags = instance.Tags.ToDictionary(),
        Image = NullIfEmpty(instance.Image),
        Baseline = NullIfEmpty(instance.Baseline),
        Head = HeadView.Of(instance.Head),
        OpenDeviations = instance.OpenDeviations,
        DecidedDeviations = instance.DecidedDeviations,
        Comparison = NullIfEmpty(instance.Comparison),
        AgentVersion = instance.AgentVersion,
        LastSeen = instance.LastSeen.ToDateTime(),
        ContestedAt = instance.ContestedAt?.ToDateTime(),
        ClockOffsetSeconds = instance.ClockOffset?.ToTimeSpan().TotalSeconds,
        StoreReturns = instance.StoreReturns,
        StoreReturnedAt = instance.StoreReturnedAt?.ToDateTime(),
        MissingBatches = instance.MissingBatches,
        MissingNoticedAt = instance.MissingNoticedAt?.ToDateTime(),
    };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}

internal sealed record NearestView(string Baseline, ulong Differences)
{
    public static NearestView? Of(V1.NearestBaseline? nearest) => nearest is null ? null : new NearestView(nearest.Baseline, nearest.Differences);
}

internal sealed record HeadView(ulong Epoch, ulong Sequence, DateTime ObservedAt, RootsView Roots, CoverageView Coverage)
{
    public static HeadView? Of(V1.InstanceHead? head) => head is null
        ? null
        : new HeadView(head.Epoch, head.Sequence, head.ObservedAt.ToDateTime(), RootsView.Of(head.Roots), CoverageView.Of(head.Coverage));
}

/// <summary>What an instance was: the JSON of <c>instances history</c>.</summary>
/// <param name="Differences">From the state before it; null for the first that is kept.</param>
internal sealed record PastHeadView(HeadView Head, DateTime ReceivedAt, DifferenceCountsView? Differences)
{
    public static PastHeadView Of(V1.PastHead past) => new(
        HeadView.Of(past.Head)!,
        past.ReceivedAt.ToDateTime(),
        past.Differences is { } counts ? new DifferenceCountsView(counts.Added, counts.Removed, counts.Changed) : null);
}

internal sealed record DifferenceCountsView(uint Added, uint Removed, uint Changed);

internal sealed record RootsView(string File, string Package, string Setting, string System)
{
    public static RootsView Of(V1.Roots roots) => new(
        Convert.ToHexStringLower(roots.File.Span),
        Convert.ToHexStringLower(roots.Package.Span),
        Convert.ToHexStringLower(roots.Setting.Span),
        Convert.ToHexStringLower(roots.System.Span));
}

internal sealed record CoverageView(
    ScopeView Scope,
    IReadOnlyList<string> Scanners,
    IReadOnlyList<GapView> Gaps,
    IReadOnlyList<LossWindowView> LossWindows,
    IReadOnlyList<WatchedView> Watched)
{
    public static CoverageView Of(V1.Coverage coverage) => new(
        new ScopeView([.. coverage.Scope.Include.Select(Path)], [.. coverage.Scope.Exclude.Select(Path)]),
        [.. coverage.Scanners.Select(scanner => $"{scanner.Name} {scanner.Major}.{scanner.Minor}")],
        [.. coverage.Gaps.Select(gap => new GapView(KeyText.Format((EntryKind)gap.Kind, gap.Prefix.Span), gap.Reason))],
        [.. coverage.LossWindows.Select(window => new LossWindowView(window.From.ToDateTime(), window.To.ToDateTime(), window.Reason))],
        [.. coverage.Watched.Select(part => new WatchedView(Path(part.Prefix), ((WatchMethod)part.Method).Name(), part.Reason.Length == 0 ? null : part.Reason))]);

    private static string Path(Google.Protobuf.ByteString key) => KeyText.Format(EntryKind.File, key.Span);
}

internal sealed record ScopeView(IReadOnlyList<string> Include, IReadOnlyList<string> Exclude);

internal sealed record GapView(string Key, string Reason);

internal sealed record LossWindowView(DateTime From, DateTime To, string Reason);

/// <param name="Path">Of a filesystem, as far as it lies below.</param>
/// <param name="Method">How changes come to be known.</param>
/// <param name="Reason">Why not better.</param>
internal sealed record WatchedView(string Path, string Method, string? Reason);
