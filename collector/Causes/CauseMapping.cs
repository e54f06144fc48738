using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>Causes as messages.</summary>
internal static class CauseMapping
{
    /// <summary>As a deviation carries it: what it is, without how much there is of it.</summary>
    public static V1.Cause ToMessage(this Cause cause) => new()
    {
        Id = Cause.IdText(cause.Id),
        Kind = (V1.CauseKind)cause.Kind,
        Summary = cause.Summary,
        DecidedBy = cause.DecidedBy ?? "",
        BeganAt = cause.BeganAt.ToTimestamp(),
    };

    public static V1.Cause ToMessage(this Cause cause, CauseCounts counts, long outliers)
    {
        var message = cause.ToMessage();
        message.Packages.AddRange(cause.Packages.Select(PackageMapping.ToMessage));
        message.Deviations = (uint)counts.Deviations;
        message.OpenDeviations = (uint)counts.Open;
        message.Instances = (uint)counts.Instances;
        message.Files = (uint)counts.Files;
        message.Unverified = (uint)counts.Unverified;
        message.Outliers = (uint)outliers;
        return message;
    }
}
