using System.Globalization;

namespace Telemetry.Collector.Cli;

/// <summary>Tells people at a terminal how much of a bundle is through, in one line that is written over.</summary>
internal sealed class TransferProgress(ulong total) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);

    private long _told = TimeProvider.System.GetTimestamp();
    private long _done;
    private int _width;

    public void Add(int nodes)
    {
        _done += nodes;
        if (Console.IsErrorRedirected || TimeProvider.System.GetElapsedTime(_told) < Interval)
            return;

        _told = TimeProvider.System.GetTimestamp();
        var text = string.Create(CultureInfo.InvariantCulture, $"{_done} of {total} nodes");
        Console.Error.Write("\r" + text.PadRight(_width));
        _width = text.Length;
    }

    public void Dispose()
    {
        if (_width > 0)
            Console.Error.Write($"\r{new string(' ', _width)}\r");
        _width = 0;
    }
}
