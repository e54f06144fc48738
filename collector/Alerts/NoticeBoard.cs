using System.Collections.Concurrent;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Alerts;

/// <summary>Where a stage notes what needs a person; told once until it is resolved, through restarts too.</summary>
internal sealed class NoticeBoard(StateStore store, TimeProvider time)
{
    // What is known to be open or not; what is not known yet, the store knows.
    private readonly ConcurrentDictionary<string, bool> _isOpen = [];
    private volatile TaskCompletionSource _added = NewSignal();

    /// <summary>Completes when a notice is added after it was read.</summary>
    public Task Added => _added.Task;

    public void Raise(string subject, string words) => Note(subject, isOpen: true, words);

    public void Resolve(string subject, string words) => Note(subject, isOpen: false, words);

    private void Note(string subject, bool isOpen, string words)
    {
        if (_isOpen.TryGetValue(subject, out var known) && known == isOpen)
            return;

        var isNews = store.Write(transaction =>
        {
            if ((transaction.Notices.Last(subject)?.IsOpen ?? false) == isOpen)
                return false;
            transaction.Notices.Add(time.GetUtcNow(), subject, isOpen, words);
            return true;
        });
        _isOpen[subject] = isOpen;
        if (isNews)
            Interlocked.Exchange(ref _added, NewSignal()).SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
