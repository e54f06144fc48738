using System.Text.Json.Serialization;
using Telemetry.Collector.Deviations;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>A cause as a deviation carries it.</summary>
internal record CauseLink
{
    public required string Id { get; init; }

    public required string Kind { get; init; }

    public required string Summary { get; init; }

    public static CauseLink? Of(V1.Cause? cause) =>
        cause is null ? null : new() { Id = cause.Id, Kind = DeviationView.Word(cause.Kind), Summary = cause.Summary };
}

/// <summary>A cause with how much there is of it: the JSON of <c>causes list</c>.</summary>
internal record CauseView : CauseLink
{
    /// <summary>The agent's clock: the first of it that was seen.</summary>
    public DateTime? BeganAt { get; init; }

    /// <summary>Of a decision: whose token it was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DecidedBy { get; init; }

    public uint Deviations { get; init; }

    public uint OpenDeviations { get; init; }

    /// <summary>How many.</summary>
    public uint Instances { get; init; }

    /// <summary>Deviations that are files.</summary>
    public uint Files { get; init; }

    /// <summary>Deviations made by package processes that no package's list proves.</summary>
    public uint Unverified { get; init; }

    /// <summary>Open entries that stand out, which an approval of the cause leaves out.</summary>
    public uint Outliers { get; init; }

    public IReadOnlyList<PackageView> Packages { get; init; } = [];

    public static new CauseView Of(V1.Cause cause) => new()
    {
        Id = cause.Id,
        Kind = DeviationView.Word(cause.Kind),
        Summary = cause.Summary,
        BeganAt = cause.BeganAt?.ToDateTime(),
        DecidedBy = cause.DecidedBy.Length == 0 ? null : cause.DecidedBy,
        Deviations = cause.Deviations,
        OpenDeviations = cause.OpenDeviations,
        Instances = cause.Instances,
        Files = cause.Files,
        Unverified = cause.Unverified,
        Outliers = cause.Outliers,
        Packages = [.. cause.Packages.Select(PackageView.Of)],
    };
}

/// <summary>A cause with where it was and some of its deviations: the JSON of <c>causes show</c>.</summary>
internal sealed record CauseDetailView : CauseView
{
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<string> InstanceIds { get; init; }

    /// <summary>The newest few.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<DeviationView> Examples { get; init; }

    /// <summary>A hundred at most.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<OutlierView> Outlying { get; init; }

    public static CauseDetailView Of(V1.GetCauseResponse response)
    {
        var cause = Of(response.Cause);
        return new CauseDetailView
        {
            Id = cause.Id,
            Kind = cause.Kind,
            Summary = cause.Summary,
            BeganAt = cause.BeganAt,
            DecidedBy = cause.DecidedBy,
            Deviations = cause.Deviations,
            OpenDeviations = cause.OpenDeviations,
            Instances = cause.Instances,
            Files = cause.Files,
            Unverified = cause.Unverified,
            Outliers = cause.Outliers,
            Packages = cause.Packages,
            InstanceIds = [.. response.InstanceIds],
            Examples = [.. response.Examples.Select(DeviationView.Of)],
            Outlying = [.. response.Outliers.Select(OutlierView.Of)],
        };
    }
}

/// <summary>A deviation that stands out from its cause, or that a decision left out for another reason.</summary>
internal sealed record OutlierView(DeviationView Deviation, string Reason)
{
    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Text => $"{Deviation.Id}  {Deviation.Severity}  {Deviation.Change}  {Deviation.Key}  {Deviation.Instance}  {Reason}";

    public static OutlierView Of(V1.Outlier outlier) => new(DeviationView.Of(outlier.Deviation), outlier.Reason);
}

/// <summary>What happened to one package. A version is null where it is not installed.</summary>
internal sealed record PackageView
{
    public required string Name { get; init; }

    public string? Architecture { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    /// <summary>For people, such as <c>apache2 2.4.62-1 → 2.4.65-1</c>.</summary>
    [JsonIgnore]
    public string Text { get; init; } = "";

    public static PackageView Of(V1.PackageTransition package) => new()
    {
        Name = package.Name,
        Architecture = OrNull(package.Architecture),
        From = OrNull(package.FromVersion),
        To = OrNull(package.ToVersion),
        Text = CauseText.Of(package.ToModel()),
    };

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
