using Google.Protobuf;
using Telemetry.Collector.Ingest;
using Telemetry.Protocol.Mapping;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>A store that stands still slows agents, not memory.</summary>
public sealed class SlowStoreTests : IDisposable
{
    private const int Agents = 40;
    private const int Batches = 5;

    private readonly Collector _collector = new();
    private readonly MessageRoom _messages = new() { MaxBytes = 1024 * 1024 };
    private readonly ManualResetEventSlim _held = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _held.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public async Task Messages_WhileTheStoreStandsStill_WaitInBoundedMemoryAndAreAllAcknowledgedAfterwards()
    {
        var agents = Enumerable.Range(0, Agents).Select(i =>
        {
            var stream = _collector.NewStream(messages: _messages);
            new FakeAgent(stream, $"i-{i}").Hello();
            return stream;
        }).ToList();
        var writer = Hold();

        var sending = agents.Select(SendAll).ToList();
        await Eventually.True(() => _messages.Waiting >= Agents / 2, "agents that wait", Cancellation, () => $"{_messages.Waiting} wait");
        Assert.InRange(_messages.Bytes, _messages.MaxBytes / 2, _messages.MaxBytes);
        Assert.All(sending, sent => Assert.False(sent.IsCompleted));

        _held.Set();
        await writer;
        var acks = await Task.WhenAll(sending);

        Assert.All(acks, ack => Assert.Equal((V1.Lane.State, 1ul), (ack!.Lane, ack.Sequence)));
        Assert.Equal((0, 0), (_messages.Bytes, _messages.Waiting));
    }

    private static async Task<V1.Ack?> SendAll(AgentStream stream)
    {
        for (var i = 0; i < Batches; i++)
            await stream.ReceiveAsync(new V1.ConnectRequest { Changes = Batch(i) }).ToListAsync(Cancellation);

        var (roots, nodes) = FileTree.OfSize(10).Build();
        var head = FakeAgent.Head(roots);
        head.Head.Pushed = (uint)nodes.Count;
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Values.Select(bytes => ByteString.CopyFrom(bytes)));
        await stream.ReceiveAsync(head).ToListAsync(Cancellation);
        var answers = await stream.ReceiveAsync(new V1.ConnectRequest { Nodes = batch }).ToListAsync(Cancellation);
        return answers.Select(answer => answer.Ack).LastOrDefault(ack => ack is not null);
    }

    /// <summary>About 100 KB.</summary>
    private static V1.ChangeBatch Batch(int number)
    {
        var batch = new V1.ChangeBatch();
        batch.Actors.AddRange(Enumerable.Range(0, 25).Select(_ => new V1.Actor { Pid = 1, CommandLine = { new string('x', 4_000) } }));
        batch.Records.Add(new V1.ChangeRecord { Kind = V1.Kind.File, Key = ByteString.CopyFromUtf8($"{number}"), ObservedAt = Some.Time.ToTimestamp(), Actor = 1 });
        return batch;
    }

    /// <summary>From here on the writer is at work for somebody else.</summary>
    private Task Hold()
    {
        using var begun = new ManualResetEventSlim();
        var writer = _collector.Store.WriteAsync(_ =>
        {
            begun.Set();
            _held.Wait(Cancellation);
        });
        begun.Wait(Cancellation);
        return writer;
    }
}
