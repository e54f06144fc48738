using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Storage;

public sealed class UnreadTableTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Replace_OverARestart_HoldsWhatShallBe()
    {
        IReadOnlyList<UnreadEntry> first = [Entry("/a", 0), Entry("/b", 0)], second = [Entry("/b", 0), Entry("/c", 5)];
        _collector.Store.Write(transaction => transaction.Unread.Replace("i-1", [], first));
        _collector.Store.Write(transaction => transaction.Unread.Replace("i-1", first, second));

        _collector.Restart();

        Assert.Equal(second, _collector.Store.Read(transaction => transaction.Unread.Of("i-1")));
        Assert.Empty(_collector.Store.Read(transaction => transaction.Unread.Of("i-2")));
    }

    [Fact]
    public void InstancesSince_AnInterval_TakesItsEndAndLeavesItsStart()
    {
        _collector.Store.Write(transaction =>
        {
            transaction.Unread.Replace("i-1", [], [Entry("/a", 0), Entry("/b", 0)]);
            transaction.Unread.Replace("i-2", [], [Entry("/a", 1)]);
            transaction.Unread.Replace("i-3", [], [Entry("/a", 2)]);
        });

        var found = _collector.Store.Read(transaction => transaction.Unread.InstancesSince(Some.Time, Some.Time.AddMinutes(1)));

        Assert.Equal(["i-2"], found);
    }

    private static UnreadEntry Entry(string path, int minutes) => new(EntryKind.File, EntryKey.OfPath(path), Some.Time.AddMinutes(minutes));
}
