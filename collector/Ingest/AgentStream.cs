using Google.Protobuf;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

/// <summary>The conversation with one agent: given its messages in order, it says what to answer. It knows no transport.</summary>
/// <remarks>Every exception of type <see cref="BadMessageException"/> or <see cref="NotCanonicalException"/> ends this stream and no other.</remarks>
internal sealed partial class AgentStream(
    StateStore store, Pipeline pipeline, AssemblyRoom room, MessageRoom messages, PolicyBook policies, FleetKey fleetKey, IPointSink points, CheckRates checkRates, TimeProvider time, ILogger logger)
    : IDisposable
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(10);

    /// <summary>Of agents that do not say how often they sample.</summary>
    private static readonly TimeSpan DefaultSampling = TimeSpan.FromSeconds(10);

    /// <summary>A scope changes with policies and configuration; an agent that has more to tell connects again.</summary>
    private const int MaxScopes = 16;

    /// <summary>A head whose nodes do not come keeps its room from others no longer.</summary>
    private static readonly TimeSpan LongestOwed = TimeSpan.FromSeconds(60);

    /// <summary>Sweeps are rare: a node that is missing more often is missing for another reason, and the stream ends.</summary>
    private const int MaxBegunAnew = 3;

    private readonly Dictionary<Digest, Scope> _scopes = [];
    private readonly MessageRates _rates = new(time);
    private HeadPosition _watermark;
    private InstanceHead? _announced;
    private HeadAssembly? _assembly;
    private AssemblyRoom.Ticket? _turn;
    private uint _pushed;
    private ulong _nodeBytes;
    private long _staged;  // of the head that is brought
    private TimeSpan _owed;
    private int _begunAnew;
    private long _idleSince;
    private PolicyVersion? _told;
    private Instance _instance = null!;
    private string _bootId = "";
    private HeadPosition _acked;
    private DateTimeOffset? _bootedAt;
    private TimeSpan _sampling = DefaultSampling;
    private bool _samplesAnyway;
    private DateTimeOffset _connectedAt;
    private long _sessionId;

    public string InstanceId => _instance.Id;

    /// <summary>Called, on any thread, when there may be something to tell the agent though it sent nothing.</summary>
    public Action Wake { get; set; } = static () => { };

    /// <summary>The first message: who is there.</summary>
    public void Meet(V1.Hello hello)
    {
        if (!hello.NodeFormats.Contains(TreeNode.Format))
            throw new BadMessageException($"no node format this collector reads; it reads {TreeNode.Format}");
        if (hello.BootId.Length > HelloMapping.MaxNameLength || !EscapedText.IsPlain(hello.BootId))
            throw new BadMessageException("a boot id that is none");

        _instance = hello.ToInstance(time.GetUtcNow());
        _bootId = hello.BootId;
        _acked = new HeadPosition(hello.AckedEpoch, hello.AckedSequence);
        _clockOffset = Offset(hello.SentAt);
        _bootedAt = OnOurClock(hello.BootedAt?.ToTime("booted_at"));
        if (hello.SampleInterval is { } interval)
        {
            _samplesAnyway = true;
            _sampling = TimeSpan.FromSeconds(Math.Clamp(interval.Seconds + (interval.Nanos / 1e9), 1, Presence.LongestSampling.TotalSeconds));
        }
    }

    /// <summary>What is known of the instance. From here on it is connected.</summary>
    public async Task<V1.ConnectResponse> WelcomeAsync()
    {
        var now = time.GetUtcNow();
        (var head, _told, _sessionId, _checksAcked, var isBoundAnew) = await store.WriteAsync(transaction =>
        {
            var newest = transaction.Heads.Newest(InstanceId);
            var known = transaction.Instances.Find(InstanceId);
            if (_acked > (newest?.Position ?? default) && known is not null)
                Returned(transaction, newest?.Position ?? default, now);

            // Another image or other tags may bind it to another line.
            var isBoundAnew = known?.IsBoundLike(_instance) is false;
            if (isBoundAnew)
                transaction.Pending.Add([InstanceId], new JudgedAnew("", $"{InstanceId} came with other tags or of another image", now));
            transaction.Instances.Put(_instance);
            if (_clockOffset is { } offset)
                transaction.Instances.SetClockOffset(InstanceId, offset);
            return (
                newest,
                policies.Of(transaction, _instance),
                transaction.Presence.Begin(new Arrival(InstanceId, now, _bootId, _bootedAt, points.IsWanted || _samplesAnyway, _sampling)),
                transaction.Checks.Watermark(InstanceId),
                isBoundAnew);
        });
        if (isBoundAnew)
            await pipeline.JudgeIfPendingAsync(InstanceId);
        _connectedAt = _offsetWrittenAt = now;
        _writtenOffset = _clockOffset ?? TimeSpan.Zero;
        _watermark = head?.Position ?? default;
        _checks = new CheckLane(store, checkRates, InstanceId, _checksAcked);
        _healthAcked = points.Watermark(InstanceId);
        _health = new HealthLane(points, messages, _healthAcked) { Advanced = () => Wake() };
        if (_clockOffset is { } skew && skew.Duration() > Instance.LargestSkew)
            Log.Skewed(logger, InstanceId, skew.TotalSeconds);
        Log.Connected(logger, InstanceId, _instance.Name, _instance.AgentVersion);

        return new V1.ConnectResponse
        {
            Welcome = new V1.Welcome
            {
                NodeFormat = TreeNode.Format,
                Epoch = _watermark.Epoch,
                Sequence = _watermark.Sequence,
                KnownRoots = head?.Roots.ToMessage(),
                HeartbeatInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(HeartbeatInterval),
                SentAt = time.GetUtcNow().ToTimestamp(),
                HealthWanted = points.IsWanted,
                PresenceWanted = true,
                HealthEpoch = _healthAcked.Epoch,
                HealthSequence = _healthAcked.Sequence,
                ChecksWanted = true,
                ChecksEpoch = _checksAcked.Epoch,
                ChecksSequence = _checksAcked.Sequence,
                Policy = _told.Policy.ToMessage(),

                // In plain text, which is why agents are let in over loopback only until there is TLS.
                FleetKey = ByteString.CopyFrom(fleetKey.ToArray()),
            },
        };
    }

    /// <summary>The store was put back to a copy that is older than what it acknowledged.</summary>
    private void Returned(StoreTransaction transaction, HeadPosition watermark, DateTimeOffset now)
    {
        transaction.Instances.Returned(InstanceId, now);
        if (transaction.Collector.Returned(now))
            Log.Returned(logger, InstanceId, _acked, watermark);
    }

    /// <summary>What to tell the agent though it sent nothing: what is stored by now, or requests that had to wait.</summary>
    public async IAsyncEnumerable<V1.ConnectResponse> PendingAsync()
    {
        await _health.CheckAsync();
        if (AckHealth() is { } ack)
            yield return ack;
        _assembly?.CheckRoom();
        if (_turn is not { HasCome: true })
            yield break;
        await foreach (var response in AdvanceAsync())
            yield return response;
    }

    /// <summary>The policy that is in force for the instance, if the agent was told another one.</summary>
    public V1.ConnectResponse? AnotherPolicy()
    {
        var inForce = store.Read(transaction =>
            transaction.Instances.Find(InstanceId) is { } instance ? policies.Of(transaction, instance) : null);
        if (inForce is null || (_told is not null && inForce.IsSame(_told)))
            return null;

        _told = inForce;
        return new V1.ConnectResponse { Policy = inForce.Policy.ToMessage() };
    }

    /// <summary>Any later message. Everything it causes has happened before the answers come, but for metrics: their acks come when they are stored.</summary>
    public async IAsyncEnumerable<V1.ConnectResponse> ReceiveAsync(V1.ConnectRequest request)
    {
        CheckOwed();
        _rates.Count(request.MessageCase);

        // Heartbeats and answers to challenges must not wait, and take nothing.
        _taken = IsData(request) ? request.CalculateSize() : 0;
        if (_taken > 0)
            await messages.EnterAsync(_taken);

        // Few to a message, and told when that has left: an agent that does not read its answers has no room meanwhile.
        List<V1.ConnectResponse> responses;
        try
        {
            responses = await HandleAsync(request).ToListAsync();
        }
        finally
        {
            messages.Leave(_taken);
        }

        foreach (var response in responses)
            yield return response;
        _idleSince = time.GetTimestamp();
    }

    /// <summary>The stream has ended.</summary>
    public async Task LeaveAsync(Departures departures, DateTimeOffset lastSeen)
    {
        // The next stream of the instance must see all that this one has written.
        await _health.EndAsync();
        await departures.NoteAsync(new Departure(InstanceId, _sessionId, lastSeen));
        Log.Disconnected(logger, InstanceId);
    }

    public void Dispose() => Withdraw();

    private IAsyncEnumerable<V1.ConnectResponse> HandleAsync(V1.ConnectRequest request) => request.MessageCase switch
    {
        V1.ConnectRequest.MessageOneofCase.Head => AnnounceAsync(request.Head),
        V1.ConnectRequest.MessageOneofCase.Nodes => TakeAsync(request.Nodes),
        V1.ConnectRequest.MessageOneofCase.Changes => NoteAsync(request.Changes),
        V1.ConnectRequest.MessageOneofCase.Checks => KeepAsync(request.Checks),
        V1.ConnectRequest.MessageOneofCase.Health => KeepAsync(request.Health),
        V1.ConnectRequest.MessageOneofCase.Heartbeat => BeatAsync(request.Heartbeat),
        V1.ConnectRequest.MessageOneofCase.Hello => throw new BadMessageException("a second hello"),

        // A later agent may send what this collector does not know; it does not need an answer.
        _ => AsyncEnumerable.Empty<V1.ConnectResponse>(),
    };

    /// <summary>Looked at with every message: heartbeats come though nodes do not. Time that the collector takes does not count.</summary>
    private void CheckOwed()
    {
        if (_assembly is null || (!_assembly.IsOwed && _pushed == 0))
            return;
        _owed += time.GetElapsedTime(_idleSince);
        if (_owed > LongestOwed)
            throw new StalledHeadException(LongestOwed);
    }

    private async IAsyncEnumerable<V1.ConnectResponse> AnnounceAsync(V1.Head message)
    {
        var coverage = message.Coverage.ToModel(KnownScope);
        if (_scopes.TryAdd(coverage.Scope.Digest, coverage.Scope) && _scopes.Count > MaxScopes)
            throw new BadMessageException($"more than {MaxScopes} scopes on one stream");

        var head = new InstanceHead(
            InstanceId,
            PositionOf(message.Epoch, message.Sequence),
            message.Roots.ToModel(),
            coverage,
            Corrected(message.ObservedAt.ToTime("observed_at")),
            message.ObservedAfter is { } after ? Corrected(after.ToTime("observed_after")) : null,
            time.GetUtcNow());

        if (head.Position <= _watermark)
        {
            yield return Ack(V1.Lane.State, _watermark);
            yield break;
        }

        Withdraw();
        _announced = head;
        _assembly = NewAssembly(head);
        _pushed = message.Pushed;
        _staged = 0;
        await foreach (var response in AdvanceAsync())
            yield return response;
    }

    private async IAsyncEnumerable<V1.ConnectResponse> TakeAsync(V1.NodeBatch batch)
    {
        foreach (var node in batch.Nodes)
        {
            _nodeBytes += (ulong)node.Length;
            if (_assembly?.Take(node.ToByteArray()) != true && _pushed == 0)
                continue;
            _owed = TimeSpan.Zero;
            _turn?.Brought(node.Length);
        }

        _pushed -= Math.Min(_pushed, (uint)batch.Nodes.Count);
        yield return new V1.ConnectResponse { NodesTaken = new V1.NodesTaken { Bytes = _nodeBytes } };

        // The agent has gone on to another state: what was announced cannot be completed any more.
        if (batch.Unavailable.Count > 0)
            Withdraw();
        await foreach (var response in AdvanceAsync())
            yield return response;
    }

    private async IAsyncEnumerable<V1.ConnectResponse> AdvanceAsync()
    {
        while (_assembly is { } assembly && _announced is { } head && _pushed == 0)
        {
            IReadOnlyList<Digest> requests;
            try
            {
                requests = store.Read(transaction => assembly.Advance(transaction.Nodes, _turn is { HasCome: true }));
                if (assembly.IsComplete)
                {
                    await pipeline.AcceptAsync(head, assembly.TakeChecked());
                }
                else if (assembly.IsWorthStoring)
                {
                    var bytes = assembly.CheckedBytes;
                    room.Staged.Add(InstanceId, bytes);
                    _staged += bytes;
                    await assembly.StoreAsync(store);
                }
            }
            catch (NodeMissingException) when (++_begunAnew <= MaxBegunAnew)
            {
                // Swept while they were relied on: what is missing is found out anew.
                assembly.Dispose();
                _assembly = NewAssembly(head);
                continue;
            }

            if (assembly.IsComplete)
            {
                _watermark = head.Position;
                _begunAnew = 0;
                room.Staged.Completed(InstanceId, _staged);
                Withdraw();
                yield return Ack(V1.Lane.State, _watermark);
            }
            else if (requests.Count > 0)
            {
                var message = new V1.NodeRequest();
                message.Digests.AddRange(requests.Select(digest => digest.ToMessage()));
                yield return new V1.ConnectResponse { NodeRequest = message };
            }
            else if (_turn is null && assembly.NeedsTurn)
            {
                _turn = room.Queue(Wake);
                if (_turn.HasCome)
                    continue;
            }

            yield break;
        }
    }

    private HeadAssembly NewAssembly(InstanceHead head)
    {
        _owed = TimeSpan.Zero;
        return new HeadAssembly(head.Roots, room, () => Wake());
    }

    private void Withdraw()
    {
        _announced = null;
        _assembly?.Dispose();
        _assembly = null;
        _pushed = 0;
        _turn?.Dispose();
        _turn = null;
    }

    private static bool IsData(V1.ConnectRequest request) => request.MessageCase
        is V1.ConnectRequest.MessageOneofCase.Head or V1.ConnectRequest.MessageOneofCase.Nodes
        or V1.ConnectRequest.MessageOneofCase.Changes or V1.ConnectRequest.MessageOneofCase.Checks or V1.ConnectRequest.MessageOneofCase.Health;

    private Scope? KnownScope(Digest digest) =>
        _scopes.TryGetValue(digest, out var scope) ? scope : null;

    private static HeadPosition PositionOf(ulong epoch, ulong sequence) =>
        epoch is 0 or > long.MaxValue || sequence is 0 or > long.MaxValue
            ? throw new BadMessageException($"impossible position {new HeadPosition(epoch, sequence)}")
            : new HeadPosition(epoch, sequence);

    private static V1.ConnectResponse Ack(V1.Lane lane, HeadPosition position) =>
        new() { Ack = new V1.Ack { Lane = lane, Epoch = position.Epoch, Sequence = position.Sequence } };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Instance {Instance} ({Name}, agent {Version}) connected")]
        public static partial void Connected(ILogger logger, string instance, string name, string version);

        [LoggerMessage(4, LogLevel.Warning, "The clock of instance {Instance} is {Seconds:F1} s behind this one's (less than 0: ahead). The times it tells are corrected; set its clock")]
        public static partial void Skewed(ILogger logger, string instance, double seconds);

        [LoggerMessage(3, LogLevel.Warning, "Instance {Instance} has an acknowledgement of its state {Acked}, and the store knows it up to {Watermark} only: it was put back to an older copy. Its state is told again; what was decided since that copy is gone. New deviations get ids that were never used")]
        public static partial void Returned(ILogger logger, string instance, HeadPosition acked, HeadPosition watermark);

        [LoggerMessage(2, LogLevel.Information, "Instance {Instance} disconnected")]
        public static partial void Disconnected(ILogger logger, string instance);
    }
}
