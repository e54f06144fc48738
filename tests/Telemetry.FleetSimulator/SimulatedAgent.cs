using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>One agent of the fleet: a tree that is the base and some entries of its own, metrics, and changes now and then.</summary>
/// <remarks>One loop writes, another reads; what they share is behind a lock.</remarks>
/// <param name="own">Entries in which it differs from the base.</param>
internal sealed class SimulatedAgent(
    string id, int own, Random random, FleetOptions options, SharedBase shared, FleetStatistics statistics, TimeProvider clock) : IDisposable
{
    /// <summary>What all agents of the fleet have in common, for bindings.</summary>
    public const string Tag = "role", TagValue = "fleet";

    private static readonly Coverage Coverage = new(Scope.Everything, [new Scanner(EntryKind.File, "file", 1, 0)], [], []);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<Digest, byte[]> _own = [];
    private readonly Queue<Digest> _requested = [];
    private readonly Queue<(ulong Sequence, long SentAt, int Points)> _health = [];
    private readonly ulong _epoch = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();
    private readonly Random _edits = new(random.Next());
    private readonly SimulatedMetrics _metrics = new(id, options.Points, new Random(random.Next()));
    private Digest _root = shared.Root;
    private ulong _sequence, _announced, _acknowledged;
    private long _announcedAt, _droppedAt;
    private bool _isHealthWanted;
    private Google.Protobuf.ByteString? _challenge;
    private int _version;
    private TimeSpan? _returnAfter;
    private volatile bool _isDropped;

    /// <summary>Connects, and connects again, until it is told to stop.</summary>
    /// <param name="open">A connection of its own, as agents on machines of their own have; another for each stream.</param>
    public async Task RunAsync(Func<GrpcChannel> open, CancellationToken cancellation)
    {
        for (var i = 0; i < own; i++)
            Edit();
        _sequence++;
        while (!cancellation.IsCancellationRequested)
        {
            var wait = TimeSpan.FromSeconds(0.5 + random.NextDouble());
            try
            {
                await ConnectAsync(open, cancellation);
                wait = _isDropped ? TimeSpan.Zero : _returnAfter ?? wait;
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.PermissionDenied)
            {
                statistics.WasRefused();
                await Console.Error.WriteLineAsync($"{id}: {e.Status.Detail}");
                return;
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException)
            {
                wait = _returnAfter ?? wait;
                if (_returnAfter is null)
                    statistics.Broke();
            }

            await Task.Delay(wait, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Changes an entry, now; the next head tells.</summary>
    public void Drift()
    {
        lock (_gate)
        {
            statistics.Changes.Made(id, Edit());
            _sequence++;
        }

        Wake();
    }

    /// <summary>Loses its connection, changes an entry meanwhile, and comes back at once.</summary>
    public void Drop()
    {
        lock (_gate)
            (_isDropped, _droppedAt) = (true, clock.GetTimestamp());
        Drift();
    }

    public void Dispose() => _wake.Dispose();

    private EntryKey Edit()
    {
        var key = SharedBase.KeyOf(_edits.Next(shared.Entries));
        var edited = TreeEditor.Apply(new Nodes(shared, _own), _root, [TreeEdit.Put(key, SharedBase.File(id, ++_version))]);
        foreach (var node in edited.Created)
            _own[node.Digest] = node.Bytes;
        _root = edited.Root;
        return key;
    }

    private async Task ConnectAsync(Func<GrpcChannel> open, CancellationToken cancellation)
    {
        _returnAfter = null;
        _isDropped = false;
        using var channel = open();
        using var call = new V1.AgentService.AgentServiceClient(channel).Connect(cancellationToken: cancellation);
        var hello = new V1.Hello
        {
            InstanceId = id,
            Name = id,
            AgentVersion = "0.1.0",
            Epoch = _epoch,
            Sequence = _sequence,
            SentAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
        };
        hello.NodeFormats.Add(TreeNode.Format);
        hello.Tags.Add(Tag, TagValue);
        await call.RequestStream.WriteAsync(new V1.ConnectRequest { Hello = hello }, cancellation);
        if (!await call.ResponseStream.MoveNext(cancellation) || call.ResponseStream.Current.Welcome is not { } welcome)
            throw new IOException("no welcome");

        statistics.Welcomed();
        lock (_gate)
        {
            _announced = 0;
            _acknowledged = welcome.Epoch == _epoch ? welcome.Sequence : 0;
            _requested.Clear();
            _health.Clear();
            _metrics.Begin();
            _isHealthWanted = welcome.HealthWanted;
            if (_droppedAt != 0)
                statistics.Returns.Add(clock.GetElapsedTime(_droppedAt));
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var reading = ReadAsync(call.ResponseStream, ended.Token);
            var writing = WriteAsync(call.RequestStream, welcome.HeartbeatInterval?.ToTimeSpan() ?? TimeSpan.FromSeconds(10), ended.Token);
            var first = await Task.WhenAny(reading, writing);
            await ended.CancelAsync();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await first;
        }
        finally
        {
            statistics.Ended();
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<V1.ConnectResponse> responses, CancellationToken cancellation)
    {
        while (await responses.MoveNext(cancellation))
        {
            lock (_gate)
                Note(responses.Current);
            Wake();
        }
    }

    private void Note(V1.ConnectResponse response)
    {
        switch (response.MessageCase)
        {
            case V1.ConnectResponse.MessageOneofCase.Ack when response.Ack.Lane == V1.Lane.State && response.Ack.Sequence == _announced:
                statistics.Heads.Add(clock.GetElapsedTime(_announcedAt));
                _acknowledged = _announced;
                _announced = 0;
                if (_isDropped)
                    break;  // it comes by the connection that is about to be lost
                if (_droppedAt != 0)
                    statistics.Recoveries.Add(clock.GetElapsedTime(_droppedAt));
                _droppedAt = 0;
                break;
            case V1.ConnectResponse.MessageOneofCase.Ack when response.Ack.Lane == V1.Lane.Health:
                while (_health.TryPeek(out var sent) && sent.Sequence <= response.Ack.Sequence)
                {
                    statistics.Health.Add(clock.GetElapsedTime(sent.SentAt));
                    statistics.Acknowledged(sent.Points);
                    _health.Dequeue();
                }

                break;
            case V1.ConnectResponse.MessageOneofCase.NodeRequest:
                foreach (var digest in response.NodeRequest.Digests)
                    _requested.Enqueue(digest.ToDigest());
                break;
            case V1.ConnectResponse.MessageOneofCase.Challenge:
                _challenge = response.Challenge.Nonce;
                break;
            case V1.ConnectResponse.MessageOneofCase.Drain:
                _returnAfter = response.Drain.ReconnectAfter.ToTimeSpan();
                break;
        }
    }

    private async Task WriteAsync(IClientStreamWriter<V1.ConnectRequest> requests, TimeSpan heartbeat, CancellationToken cancellation)
    {
        var heartbeatDue = clock.GetUtcNow() + heartbeat;
        var healthDue = clock.GetUtcNow() + options.Interval * random.NextDouble();
        while (!_isDropped)
        {
            while (Next() is { } message)
                await requests.WriteAsync(message, cancellation);

            var now = clock.GetUtcNow();
            if (now >= heartbeatDue)
            {
                heartbeatDue = now + heartbeat;
                await requests.WriteAsync(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat { SentAt = Timestamp.FromDateTimeOffset(now) } }, cancellation);
            }

            if (_isHealthWanted && now >= healthDue)
            {
                healthDue += options.Interval;
                var batch = _metrics.Next(_epoch, now);
                lock (_gate)
                    _health.Enqueue((batch.Sequence, clock.GetTimestamp(), options.Points));
                await requests.WriteAsync(new V1.ConnectRequest { Health = batch }, cancellation);
            }

            var next = _isHealthWanted && healthDue < heartbeatDue ? healthDue : heartbeatDue;
            if (next - clock.GetUtcNow() is var wait && wait > TimeSpan.Zero)
                await _wake.WaitAsync(wait, cancellation);
        }
    }

    private V1.ConnectRequest? Next()
    {
        lock (_gate)
        {
            if (Interlocked.Exchange(ref _challenge, null) is { } nonce)
                return new V1.ConnectRequest { ChallengeAnswer = new V1.ChallengeAnswer { Nonce = nonce } };

            if (_requested.Count > 0)
            {
                var batch = new V1.NodeBatch();
                for (var bytes = 0; bytes < 48 * 1024 && _requested.TryDequeue(out var digest);)
                {
                    var node = new Nodes(shared, _own).Read(digest);
                    bytes += node.Length;
                    batch.Nodes.Add(UnsafeByteOperations.UnsafeWrap(node));
                }

                return new V1.ConnectRequest { Nodes = batch };
            }

            if (_announced != 0 || _acknowledged == _sequence)
                return null;

            _announced = _sequence;
            _announcedAt = clock.GetTimestamp();
            return new V1.ConnectRequest
            {
                Head = new V1.Head
                {
                    Epoch = _epoch,
                    Sequence = _announced,
                    Roots = Roots.Empty.With(EntryKind.File, _root).ToMessage(),
                    Coverage = Coverage.ToMessage(),
                    ObservedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
                },
            };
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_wake.CurrentCount == 0)
                _wake.Release();
        }
    }

    /// <summary>Its own nodes before those of the base.</summary>
    private sealed class Nodes(SharedBase shared, Dictionary<Digest, byte[]> own) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) => own.TryGetValue(digest, out var bytes) ? bytes : shared.Read(digest);
    }
}
