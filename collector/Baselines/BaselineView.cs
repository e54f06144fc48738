using Telemetry.Collector.Fleet;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Baselines;

/// <summary>A baseline version as people and programs read it: the JSON of <c>baselines</c>.</summary>
/// <param name="State"><c>accepted</c>, <c>retired</c>, or <c>not_used</c>: not signed as it must be, and so nothing is concluded from it.</param>
/// <param name="Problem">Why it is not used, and what to do; null: it is signed as it must be.</param>
internal sealed record BaselineView(
    string Name,
    string Version,
    RootsView Roots,
    CoverageView Coverage,
    string Source,
    DateTime CreatedAt,
    ulong Entries,
    IReadOnlyList<string> Bindings,
    string Policy,
    string Owner,
    string? Base,
    IReadOnlyList<string> Layers,
    IReadOnlyDictionary<string, string> Resolutions,
    DateTime? RetiredAt,
    string State,
    string? Problem)
{
    public static BaselineView Of(V1.Baseline baseline) => new(
        baseline.Name,
        baseline.Version,
        RootsView.Of(baseline.Roots),
        CoverageView.Of(baseline.Coverage),
        baseline.Source,
        baseline.CreatedAt.ToDateTime(),
        baseline.Entries,
        [.. baseline.Bindings],
        baseline.Policy,
        baseline.Owner,
        baseline.Base.Length == 0 ? null : baseline.Base,
        [.. baseline.Layers],
        baseline.Resolutions,
        baseline.RetiredAt?.ToDateTime(),
        baseline.Problem.Length > 0 ? "not_used" : baseline.RetiredAt is null ? "accepted" : "retired",
        baseline.Problem.Length == 0 ? null : baseline.Problem);
}
