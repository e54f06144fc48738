using System.Buffers.Text;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Reads <c>/proc/PID/stat</c>, <c>status</c> and <c>loginuid</c> (proc_pid_stat(5), proc_pid_status(5), proc_pid_loginuid(5)).</summary>
internal static class ProcessStatus
{
    // Counted from what follows the name, which may hold spaces and brackets itself: state is column 3.
    private const int ColumnsBeforeParent = 4 - 3, ColumnsBeforeStart = 22 - 3;

    /// <summary>Clock ticks from the machine's start to the process's.</summary>
    public static bool Started(ReadOnlySpan<byte> stat, out ulong started) => Column(stat, ColumnsBeforeStart, out started);

    /// <summary>0: of the first process, or in another namespace.</summary>
    public static bool Parent(ReadOnlySpan<byte> stat, out int parent)
    {
        var found = Column(stat, ColumnsBeforeParent, out var number);
        parent = (int)number;
        return found;
    }

    /// <summary><c>Uid: real effective saved filesystem</c>, divided by tabs.</summary>
    public static bool EffectiveUser(ReadOnlySpan<byte> status, out uint user)
    {
        user = 0;
        var line = status.IndexOf("\nUid:\t"u8);
        if (line < 0)
            return false;

        status = status[(line + 6)..];
        var tab = status.IndexOf((byte)'\t');
        return tab >= 0 && Utf8Parser.TryParse(status[(tab + 1)..], out user, out _);
    }

    /// <summary>The number alone.</summary>
    public static bool LoginUser(ReadOnlySpan<byte> loginuid, out uint user) => Utf8Parser.TryParse(loginuid, out user, out _);

    private static bool Column(ReadOnlySpan<byte> stat, int columnsBefore, out ulong number)
    {
        number = 0;
        var name = stat.LastIndexOf(") "u8);
        if (name < 0)
            return false;

        stat = stat[(name + 2)..];
        for (var i = 0; i < columnsBefore; i++)
            Columns.Next(ref stat);
        return Utf8Parser.TryParse(Columns.Next(ref stat), out number, out var length) && length > 0;
    }
}
