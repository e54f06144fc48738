using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>One agent of the fleet: a tree that is the base and some entries of its own, metrics, and changes now and then.</summary>
/// <remarks>One loop writes, another reads; what they share is behind a lock.</remarks>
internal sealed class SimulatedAgent(int number, FleetOptions options, SharedBase shared, FleetStatistics statistics, TimeProvider clock) : IDisposable
{
    private static readonly Coverage Coverage = new(Scope.Everything, [new Scanner(EntryKind.File, "file", 1, 0)], [], []);

    private readonly string _id = string.Create(CultureInfo.InvariantCulture, $"i-{number:D6}");
    private readonly Random _random = new(options.Seed * 1_000_003 + number);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<Digest, byte[]> _own = [];
    private readonly Queue<Digest> _requested = [];
    private readonly Queue<(ulong Sequence, long SentAt, int Points)> _health = [];
    private readonly ulong _epoch = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();
    private Digest _root = shared.Root;
    private ulong _sequence, _announced, _acknowledged, _healthSequence;
    private long _announcedAt;
    private bool _isHealthWanted;
    private V1.HealthBatch? _batch;
    private bool _areSeriesNamed;
    private Google.Protobuf.ByteString? _challenge;
    private int _version;
    private TimeSpan? _returnAfter;

    /// <summary>Connects, and connects again, until it is told to stop.</summary>
    public async Task RunAsync(V1.AgentService.AgentServiceClient client, CancellationToken cancellation)
    {
        for (var i = 0; i < options.Own; i++)
            Edit();
        _sequence++;
        while (!cancellation.IsCancellationRequested)
        {
            var wait = TimeSpan.FromSeconds(0.5 + _random.NextDouble());
            try
            {
                await ConnectAsync(client, cancellation);
                wait = _returnAfter ?? wait;
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.PermissionDenied)
            {
                statistics.WasRefused();
                await Console.Error.WriteLineAsync($"{_id}: {e.Status.Detail}");
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
            Edit();
            _sequence++;
        }

        Wake();
    }

    public void Dispose() => _wake.Dispose();

    private void Edit()
    {
        var key = SharedBase.KeyOf(_random.Next(shared.Entries));
        var edited = TreeEditor.Apply(new Nodes(shared, _own), _root, [TreeEdit.Put(key, SharedBase.File(_id, ++_version))]);
        foreach (var node in edited.Created)
            _own[node.Digest] = node.Bytes;
        _root = edited.Root;
    }

    private async Task ConnectAsync(V1.AgentService.AgentServiceClient client, CancellationToken cancellation)
    {
        _returnAfter = null;
        using var call = client.Connect(cancellationToken: cancellation);
        var hello = new V1.Hello
        {
            InstanceId = _id,
            Name = _id,
            AgentVersion = "0.1.0",
            Epoch = _epoch,
            Sequence = _sequence,
            SentAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
        };
        hello.NodeFormats.Add(TreeNode.Format);
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
            _areSeriesNamed = false;
            _isHealthWanted = welcome.HealthWanted;
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
        var healthDue = clock.GetUtcNow() + options.Interval * _random.NextDouble();
        while (true)
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
                await requests.WriteAsync(new V1.ConnectRequest { Health = Health(now) }, cancellation);
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

    /// <summary>As agents do: series are named once in a stream. The messages are made once, for the machine is shared with what is measured.</summary>
    private V1.HealthBatch Health(DateTimeOffset now)
    {
        var batch = _batch ??= NewBatch();
        batch.Sequence = ++_healthSequence;
        batch.Time = Timestamp.FromDateTimeOffset(now);
        batch.Series.Clear();
        foreach (var row in batch.Rows)
        {
            row.FloatValues[0] = Math.Round(_random.NextDouble() * 100, 2);
            if (!_areSeriesNamed)
                batch.Series.Add(NewSeries(row.Series));
        }

        _areSeriesNamed = true;
        lock (_gate)
            _health.Enqueue((batch.Sequence, clock.GetTimestamp(), options.Points));
        return batch;
    }

    private V1.HealthBatch NewBatch()
    {
        var batch = new V1.HealthBatch { Epoch = _epoch };
        for (var i = 0u; i < options.Points; i++)
        {
            var row = new V1.SeriesRow { Series = i };
            row.FloatValues.Add(0);
            batch.Rows.Add(row);
        }

        return batch;
    }

    private V1.Series NewSeries(uint id)
    {
        var series = new V1.Series { Id = id, Measurement = "cpu" };
        series.Tags.Add("host", _id);
        series.Tags.Add("cpu", string.Create(CultureInfo.InvariantCulture, $"cpu{id}"));
        series.FloatFields.Add("usage_user");
        return series;
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
