namespace Telemetry.Agent.SystemFacts;

/// <summary>Takes lines of kernel files apart.</summary>
internal static class Columns
{
    /// <summary>Takes what stands before the next space, which may be nothing.</summary>
    public static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> line)
    {
        var length = line.IndexOf((byte)' ');
        var column = length < 0 ? line : line[..length];
        line = length < 0 ? [] : line[(length + 1)..];
        return column;
    }

    /// <summary>Takes the next word of a table, whose columns are filled up with spaces.</summary>
    public static ReadOnlySpan<byte> NextWord(ref ReadOnlySpan<byte> line)
    {
        line = line.TrimStart((byte)' ');
        return Next(ref line);
    }
}
