using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>How often changes may have gone unseen since the agent started, and the last time. Written by the scan, read by anybody.</summary>
internal sealed class LossLog
{
    private volatile Losses _losses = new(0, null);

    public Losses Current => _losses;

    public void Add(LossWindow window) => _losses = new Losses(_losses.Count + 1, window);
}

/// <param name="Last">Null when there was none.</param>
internal sealed record Losses(long Count, LossWindow? Last);
