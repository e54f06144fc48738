using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>An agent made of messages, on a real stream: it says what a test wants an instance to have seen.</summary>
internal sealed class WireAgent : IAsyncDisposable
{
    private static readonly DateTimeOffset Observed = new(2026, 3, 3, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    private readonly SortedDictionary<EntryKey, Fingerprint> _files = [];
    private readonly SortedDictionary<EntryKey, Fingerprint> _packages = [];
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<V1.ConnectRequest, V1.ConnectResponse> _call;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Task _beating = Task.CompletedTask;
    private ulong _sequence;

    private WireAgent(string server)
    {
        _channel = GrpcChannel.ForAddress(server);
        _call = new V1.AgentService.AgentServiceClient(_channel).Connect(cancellationToken: Cancellation);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="at">By its clock; null: in March, as all that it observes, which the collector dates by its own then.</param>
    public static async Task<WireAgent> Connect(string server, string instanceId, DateTimeOffset? at = null)
    {
        var agent = new WireAgent(server);
        var hello = new V1.Hello { InstanceId = instanceId, Name = instanceId, AgentVersion = "0.1.0", SentAt = (at ?? Observed).ToTimestamp() };
        hello.NodeFormats.Add(TreeNode.Format);
        await agent.Send(new V1.ConnectRequest { Hello = hello });
        Assert.True(await agent._call.ResponseStream.MoveNext(Cancellation));
        agent._beating = agent.Beat();
        return agent;
    }

    /// <summary>A record of an entry, named as people do, which is in the next head.</summary>
    public V1.ChangeRecord Change(string name, string content)
    {
        var (kind, key) = KeyText.Parse(name);
        var fingerprint = kind == EntryKind.Package
            ? new Fingerprint().WithVersion(System.Text.Encoding.UTF8.GetBytes(content))
            : new Fingerprint { Type = FileType.File, Mode = 0b110_100_100, Uid = 0, Gid = 0, Content = Digest.Of(System.Text.Encoding.UTF8.GetBytes(content)) };
        (kind == EntryKind.Package ? _packages : _files)[key] = fingerprint;
        return new V1.ChangeRecord
        {
            Kind = kind.ToMessage(),
            Key = ByteString.CopyFrom(key.Bytes),
            Fingerprint = ByteString.CopyFrom(fingerprint.Encode()),
            ObservedAt = Observed.ToTimestamp(),
        };
    }

    public Task Deliver(V1.HealthBatch batch) => Send(new V1.ConnectRequest { Health = batch });

    /// <summary>Waits until it is stored.</summary>
    public async Task DeliverStored(V1.HealthBatch batch)
    {
        await Deliver(batch);
        do
        {
            Assert.True(await _call.ResponseStream.MoveNext(Cancellation));
        }
        while (_call.ResponseStream.Current.Ack is not { Lane: V1.Lane.Health } ack || ack.Sequence < batch.Sequence);
    }

    public Task Tell(V1.ChangeBatch changes) => Send(new V1.ConnectRequest { Changes = changes });

    /// <summary>Sends the state as it is now, and waits until the collector has judged it.</summary>
    public async Task Report()
    {
        var nodes = new Dictionary<Digest, byte[]> { [EncodedNode.Empty.Digest] = EncodedNode.Empty.Bytes };
        var roots = Roots.Empty.With(EntryKind.File, Build(_files, nodes)).With(EntryKind.Package, Build(_packages, nodes));
        var head = new V1.Head
        {
            Epoch = 1,
            Sequence = ++_sequence,
            Roots = roots.ToMessage(),
            Coverage = new Coverage(
                Scope.Everything, [new Scanner(EntryKind.File, "file", 1, 0), new Scanner(EntryKind.Package, "dpkg", 1, 0)], [], []).ToMessage(),
            ObservedAt = Observed.ToTimestamp(),
            Pushed = (uint)nodes.Count,
        };
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Values.Select(bytes => ByteString.CopyFrom(bytes)));
        await Send(new V1.ConnectRequest { Head = head });
        await Send(new V1.ConnectRequest { Nodes = batch });
        do
        {
            Assert.True(await _call.ResponseStream.MoveNext(Cancellation));
        }
        while (_call.ResponseStream.Current.Ack?.Sequence != _sequence);
    }

    /// <summary>Waits until the collector ends the stream.</summary>
    public async Task<Status> Ended()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(Cancellation))
            {
            }

            return Status.DefaultSuccess;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _call.Dispose();
        await _beating;
        _channel.Dispose();
        _stop.Dispose();
        _writing.Dispose();
    }

    /// <summary>Who says nothing for 25 seconds is gone; and what a test does meanwhile takes as long as it takes.</summary>
    private async Task Beat()
    {
        using var timer = new PeriodicTimer(Heartbeat);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
                await Send(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat() });
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or InvalidOperationException)
        {
            // The stream has ended.
        }
    }

    private async Task Send(V1.ConnectRequest request)
    {
        await _writing.WaitAsync(Cancellation);
        try
        {
            await _call.RequestStream.WriteAsync(request, Cancellation);
        }
        finally
        {
            _writing.Release();
        }
    }

    private static Digest Build(SortedDictionary<EntryKey, Fingerprint> entries, Dictionary<Digest, byte[]> nodes)
    {
        var builder = new TreeBuilder(node => nodes[node.Digest] = node.Bytes);
        foreach (var (key, fingerprint) in entries)
            builder.Append(key, fingerprint);
        return builder.Finish();
    }
}
