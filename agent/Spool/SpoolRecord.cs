using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

/// <summary>What is sent in one message.</summary>
internal sealed record SpoolRecord
{
    public required HeadPosition Position { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>Points, or changes.</summary>
    public required uint Units { get; init; }

    /// <summary>Units of this epoch and of the hour of this record so far, these included.</summary>
    public required ulong Collected { get; init; }

    /// <summary>Of earlier records, told with this one.</summary>
    public required IReadOnlyList<SpoolLoss> Losses { get; init; }

    /// <summary>Empty: nothing but losses.</summary>
    public required byte[] Payload { get; init; }

    public long Hour => HourOf(Time);

    public static long HourOf(DateTimeOffset time) => time.ToUnixTimeSeconds() / 3600;
}
