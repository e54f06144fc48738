namespace Telemetry.Collector.TimeSeries;

/// <summary>What one instance takes of the room for series.</summary>
internal sealed class SeriesShare(string instanceId)
{
    public string InstanceId => instanceId;

    /// <summary>Series that its agent tells.</summary>
    public SeriesUse Told { get; } = new();

    /// <summary>Series that the collector tells of it: what it may be called, and what checks it has, is up to its agent too.</summary>
    public SeriesUse Own { get; } = new();

    /// <summary>That it was the first to have.</summary>
    public int Measurements { get; set; }

    /// <inheritdoc cref="Measurements"/>
    public int Fields { get; set; }

    /// <summary>It was said in the log, less than an hour ago, that something of it is refused.</summary>
    public bool IsTold { get; set; }

    public bool IsEmpty => Told.Known == 0 && Own.Known == 0 && Measurements == 0 && Fields == 0;
}

internal sealed class SeriesUse
{
    /// <summary>Those that had a point within a day.</summary>
    public int Active { get; set; }

    /// <summary>Those, and what the store keeps of others.</summary>
    public int Known { get; set; }
}
