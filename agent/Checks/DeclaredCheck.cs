using Telemetry.Protocol.Layers;

namespace Telemetry.Agent.Checks;

/// <summary>A check, and the layer that ships it.</summary>
/// <param name="Owner">Null: the layer does not say.</param>
internal sealed record DeclaredCheck(string Layer, string? Owner, LayerCheck Check)
{
    /// <summary>Unique on this machine.</summary>
    public string Id => $"{Layer}/{Check.Name}";
}
