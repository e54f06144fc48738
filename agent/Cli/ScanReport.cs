using System.Globalization;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary>
/// Tells people how far a scan is: on a terminal one line that is written over, with the time that remains; elsewhere a line now
/// and then.
/// </summary>
internal sealed class ScanReport : IDisposable
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromSeconds(0.5), InPipe = TimeSpan.FromSeconds(10);

    private readonly ScanProgress _progress;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly CancellationTokenSource _done = new();
    private readonly ITimer _timer;
    private long _total = -1;
    private int _width;

    /// <param name="root">For the time that remains, what there is to read is counted; only for a terminal.</param>
    public ScanReport(string root, Scope scope, ScanProgress progress, TimeProvider clock)
    {
        _progress = progress;
        _clock = clock;
        _started = clock.GetTimestamp();
        var interval = _isTerminal ? OnTerminal : InPipe;
        _timer = clock.CreateTimer(_ => Tell(), null, interval, interval);
        if (_isTerminal)
            _ = Task.Factory.StartNew(() => CountAll(root, scope), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public void Dispose()
    {
        _done.Cancel();
        _timer.Dispose();
        if (_isTerminal && _width > 0)
            Console.Error.Write($"\r{new string(' ', _width)}\r");
    }

    /// <summary>What is told of a scan that is so far.</summary>
    /// <param name="total">Bytes there are to read; negative when that is not known.</param>
    internal static string Text(long entries, long files, long bytes, long total, TimeSpan time)
    {
        var perSecond = time > TimeSpan.Zero ? bytes / time.TotalSeconds : 0;
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{entries} entries, {files} files read, {Megabytes(bytes)} MB, {perSecond / 1e6:F0} MB/s");
        if (total < 0 || perSecond <= 0)
            return text;

        var left = TimeSpan.FromSeconds(Math.Max(0, total - bytes) / perSecond);
        return string.Create(CultureInfo.InvariantCulture, $"{text}, about {(int)left.TotalMinutes}:{left.Seconds:00} left");
    }

    private static long Megabytes(long bytes) => bytes / 1_000_000;

    private void CountAll(string root, Scope scope)
    {
        try
        {
            Volatile.Write(ref _total, TreeSize.Count(root, scope, _done.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // Then nobody is told what remains; what can't be read is the scan's own to say.
        }
    }

    private void Tell()
    {
        if (_done.IsCancellationRequested)
            return;

        var text = Text(_progress.Entries, _progress.FilesRead, _progress.Bytes, Volatile.Read(ref _total), _clock.GetElapsedTime(_started));
        if (_isTerminal)
            Console.Error.Write("\r" + text.PadRight(_width));
        else
            Console.Error.WriteLine(text);
        _width = text.Length;
    }
}
