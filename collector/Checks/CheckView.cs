using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Checks;

/// <summary>A check of an instance as people and programs read it.</summary>
/// <param name="State">ok, warning, critical or unknown.</param>
/// <param name="Before">The state until then; null: none.</param>
/// <param name="DefinesService">While it is critical, the instance counts as down.</param>
internal sealed record CheckView(string Layer, string Name, string? Owner, string State, string? Before, DateTime Since, string Text, bool DefinesService)
{
    public static CheckView Of(V1.CheckStatus status) => new(
        status.Check.Layer,
        status.Check.Name,
        status.Check.Owner.Length == 0 ? null : status.Check.Owner,
        Word(status.State),
        status.Before == V1.CheckState.Unspecified ? null : Word(status.Before),
        status.Since.ToDateTime(),
        status.Text,
        status.DefinesService);

    private static string Word(V1.CheckState state) => state.ToString().ToLowerInvariant();
}
