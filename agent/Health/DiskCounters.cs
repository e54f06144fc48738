namespace Telemetry.Agent.Health;

/// <summary>What a block device counted since boot. Times are milliseconds.</summary>
internal readonly record struct DiskCounters(
    long Reads, long MergedReads, long SectorsRead, long ReadTime, long Writes, long MergedWrites, long SectorsWritten, long WriteTime,
    long InProgress, long IoTime, long WeightedIoTime)
{
    /// <param name="columns">In the kernel's order.</param>
    public DiskCounters(ReadOnlySpan<long> columns)
        : this(columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6], columns[7], columns[8], columns[9], columns[10])
    {
    }

    /// <summary>The device was replaced, or a counter began anew.</summary>
    public bool IsBehind(in DiskCounters before) =>
        Reads < before.Reads || Writes < before.Writes || ReadTime < before.ReadTime || WriteTime < before.WriteTime || IoTime < before.IoTime;

    /// <summary>Milliseconds each operation waited and took, when there were some, and percent of the time with any of them on its way.</summary>
    public HealthField[] Busy(in DiskCounters before, TimeSpan elapsed)
    {
        var operations = Reads - before.Reads + Writes - before.Writes;
        double busy = IoTime - before.IoTime;
        var utilisation = HealthField.Of("io_util", elapsed > TimeSpan.Zero ? 100 * busy / elapsed.TotalMilliseconds : 0.0);
        return operations == 0
            ? [utilisation]
            : [
                HealthField.Of("io_await", (double)(ReadTime - before.ReadTime + WriteTime - before.WriteTime) / operations),
                HealthField.Of("io_svctm", busy / operations),
                utilisation,
            ];
    }

    public HealthField[] ToFields(int sectorBytes) =>
    [
        HealthField.Of("reads", Reads),
        HealthField.Of("writes", Writes),
        HealthField.Of("read_bytes", SectorsRead * sectorBytes),
        HealthField.Of("write_bytes", SectorsWritten * sectorBytes),
        HealthField.Of("read_time", ReadTime),
        HealthField.Of("write_time", WriteTime),
        HealthField.Of("io_time", IoTime),
        HealthField.Of("weighted_io_time", WeightedIoTime),
        HealthField.Of("iops_in_progress", InProgress),
        HealthField.Of("merged_reads", MergedReads),
        HealthField.Of("merged_writes", MergedWrites),
    ];
}
