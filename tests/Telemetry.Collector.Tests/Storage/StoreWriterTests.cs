using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Storage;

public sealed class StoreWriterTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly Collector _collector = new();
    private readonly ManualResetEventSlim _held = new();

    public void Dispose()
    {
        _held.Dispose();
        _collector.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Write_OneOfManyFails_TheOthersAreWritten()
    {
        var first = Hold();
        var writes = Enumerable.Range(0, 100).Select(i => _collector.Store.WriteAsync(transaction =>
        {
            transaction.Instances.Put(Some.Instance($"i-{i:D3}"));
            if (i % 10 == 3)
                throw new InvalidOperationException($"{i}");
            return i;
        })).ToList();
        _held.Set();
        await first;

        for (var i = 0; i < writes.Count; i++)
        {
            if (i % 10 == 3)
                Assert.Equal($"{i}", (await Assert.ThrowsAsync<InvalidOperationException>(() => writes[i])).Message);
            else
                Assert.Equal(i, await writes[i]);
        }

        Assert.Equal(
            Enumerable.Range(0, 100).Where(i => i % 10 != 3).Select(i => $"i-{i:D3}"),
            _collector.Store.Read(transaction => transaction.Instances.All()).Select(instance => instance.Id));
    }

    [Fact]
    public async Task Write_ManyThatWait_CommitTogether()
    {
        var before = _collector.Store.Read(transaction => transaction.Instances.All()).Count;
        var first = Hold();
        var seen = new List<int>();
        var writes = Enumerable.Range(0, 50).Select(i => _collector.Store.WriteAsync(transaction =>
        {
            transaction.Instances.Put(Some.Instance($"i-{i:D3}"));

            // What is not committed nobody else sees.
            seen.Add(_collector.Store.Read(other => other.Instances.All()).Count);
        })).ToList();
        _held.Set();
        await first;
        await Task.WhenAll(writes);

        Assert.Equal(50, seen.Count);
        Assert.All(seen, count => Assert.Equal(before, count));
    }

    [Fact]
    public async Task Write_TheDiskFails_NoneOfThoseTogetherIsSaidToBeWritten()
    {
        var first = Hold();
        var good = _collector.Store.WriteAsync(transaction => transaction.Instances.Put(Some.Instance("i-1")));
        var full = _collector.Store.WriteAsync(_ => throw new SqliteException("database or disk is full", 13));
        _held.Set();
        await first;

        await Assert.ThrowsAsync<StoreException>(() => good);
        await Assert.ThrowsAsync<StoreException>(() => full);
        Assert.Empty(_collector.Store.Read(transaction => transaction.Instances.All()));

        _collector.Store.Write(transaction => transaction.Instances.Put(Some.Instance("i-1")));
        Assert.Single(_collector.Store.Read(transaction => transaction.Instances.All()));
    }

    [Fact]
    public async Task Dispose_WhatIsQueued_IsWritten()
    {
        using var store = StateStore.Open(_folder.Path);
        var writes = Enumerable.Range(0, 200).Select(i => store.WriteAsync(transaction => transaction.Instances.Put(Some.Instance($"i-{i}")))).ToList();

        store.Dispose();

        await Task.WhenAll(writes);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.WriteAsync(_ => { }));
        using var again = StateStore.Open(_folder.Path);
        Assert.Equal(200, again.Read(transaction => transaction.Instances.All()).Count);
    }

    /// <summary>Holds the writer until the others are queued; by then it has begun, without them.</summary>
    private Task Hold()
    {
        using var begun = new ManualResetEventSlim();
        var held = _collector.Store.WriteAsync(_ =>
        {
            begun.Set();
            _held.Wait(TestContext.Current.CancellationToken);
        });
        begun.Wait(TestContext.Current.CancellationToken);
        return held;
    }
}
