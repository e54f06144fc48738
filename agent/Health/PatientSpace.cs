using System.Diagnostics;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary>Asks a filesystem how full it is; may hang for as long as another machine is away.</summary>
/// <param name="path">Ends with 0x00.</param>
/// <returns>0 or an errno.</returns>
internal delegate int SpaceOf(ReadOnlySpan<byte> path, out FilesystemSpace space);

/// <summary>
/// Asks filesystems for their space, and waits for none for long: those that may hang are asked in threads of their own. One that hangs
/// is not asked again before it came back, so it costs one thread; and what is mounted below it is not asked, for the way there hangs.
/// </summary>
/// <param name="patience">For all together; null: two seconds, less than a probe may take.</param>
internal sealed class PatientSpace(SpaceOf ask, TimeSpan? patience = null)
{
    /// <summary>Threads of mounts that came and went while they hang.</summary>
    private const int MostHanging = 64;

    private readonly TimeSpan _patience = patience ?? TimeSpan.FromSeconds(2);

    // By mount point.
    private readonly Dictionary<string, Task<(int Errno, FilesystemSpace Space)>> _asked = new(StringComparer.Ordinal);
    private readonly List<Task> _leftBehind = [];

    /// <summary>Threads that hang now.</summary>
    internal int Hanging => _asked.Values.Concat(_leftBehind).Count(asked => !asked.IsCompleted);

    /// <summary>Answers and threads that are kept.</summary>
    internal int Kept => _asked.Count + _leftBehind.Count;

    /// <returns>Each with its errno, null when it does not answer.</returns>
    public List<(MountedDisk Disk, int? Errno, FilesystemSpace Space)> Of(IReadOnlyList<MountedDisk> disks)
    {
        Forget(disks);
        var answers = new Dictionary<string, (int Errno, FilesystemSpace Space)>(StringComparer.Ordinal);
        var started = Stopwatch.GetTimestamp();
        foreach (var wave in disks.Where(disk => disk.MayHang).GroupBy(disk => disk.Depth).OrderBy(wave => wave.Key))
        {
            // The kernel's own waiting can't be faked, so neither can this clock.
            var left = _patience - Stopwatch.GetElapsedTime(started);
            Ask([.. wave.Where(disk => disk.Above is null || answers.ContainsKey(disk.Above))], left > TimeSpan.Zero ? left : TimeSpan.Zero, answers);
        }

        var all = new List<(MountedDisk, int?, FilesystemSpace)>(disks.Count);
        foreach (var disk in disks)
        {
            if (!disk.MayHang)
                all.Add((disk, ask(disk.Path, out var space), space));
            else if (answers.TryGetValue(disk.Point, out var answer))
                all.Add((disk, answer.Errno, answer.Space));
            else
                all.Add((disk, null, default));
        }

        return all;
    }

    private void Ask(IReadOnlyList<MountedDisk> disks, TimeSpan time, Dictionary<string, (int Errno, FilesystemSpace Space)> answers)
    {
        var mayAsk = Hanging < MostHanging;
        var fresh = new List<Task>();
        foreach (var disk in disks)
        {
            if (mayAsk && !_asked.ContainsKey(disk.Point))
                fresh.Add(_asked[disk.Point] = Task.Factory.StartNew(() => (ask(disk.Path, out var space), space), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }

        Task.WaitAll([.. fresh], time);
        foreach (var disk in disks)
        {
            if (!_asked.TryGetValue(disk.Point, out var asked) || !asked.IsCompleted)
                continue;
            _asked.Remove(disk.Point);
            answers[disk.Point] = asked.GetAwaiter().GetResult();
        }
    }

    /// <summary>What is not mounted any more has no answer to give; a thread that hangs there is only counted.</summary>
    private void Forget(IReadOnlyList<MountedDisk> disks)
    {
        _leftBehind.RemoveAll(asked => asked.IsCompleted);
        if (_asked.Count == 0)
            return;

        var points = disks.Select(disk => disk.Point).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _asked.Keys.Where(point => !points.Contains(point)).ToList())
        {
            _asked.Remove(gone, out var asked);
            if (!asked!.IsCompleted)
                _leftBehind.Add(asked);
        }
    }
}
