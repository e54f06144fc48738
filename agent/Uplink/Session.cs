using Google.Protobuf;
using Grpc.Core;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Supervision;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>
/// One stream to the collector. Two loops: one reads and only notes what it read, one writes and decides what comes next; so
/// there is one writer, and state goes before health.
/// </summary>
internal sealed class Session(
    AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> call,
    RulesInForce rules,
    StateStore store,
    ChangeLog changes,
    CheckLog checks,
    HealthQueue health,
    LoopPulse pulse,
    TimeProvider clock) : IDisposable
{
    // More would be pushed in vain if the collector has it from another instance; it can ask.
    private const int MaxPushed = NodeOutbox.Window;

    private const int MaxNonce = 64;

    // As many streams at once claim to be this instance.
    private const int MaxChallenges = 16;

    private static readonly TimeSpan WelcomeDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultHeartbeat = TimeSpan.FromSeconds(10);

    // Pings notice within 20 seconds that the other end is gone. Who answers them and takes nothing waits for a slow disk; or it hangs,
    // if it does so for longer than any disk does.
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromMinutes(5);

    // Whatever the collector says: it may be back sooner.
    private static readonly TimeSpan LongestReturn = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly NodeOutbox _outbox = new(store.ReadNode);
    private readonly HashSet<Digest> _toldScopes = [];
    private readonly Queue<ByteString> _challenges = [];
    private readonly SeriesNames _series = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private TimeSpan _heartbeat = DefaultHeartbeat;
    private long _heartbeatSent;  // of the clock that nobody sets
    private bool _isOver;

    // Each stream tells all that is not known to be stored: what an earlier one told may not have arrived.
    private SpoolCursor _toldChanges, _toldChecks;
    private bool _areChecksWanted;

    // A head whose nodes were asked for in vain is not announced again as it is.
    private HeadPosition? _withdrawn;

    /// <summary>Told of each head that the collector has stored.</summary>
    public Action<HeadPosition>? Acked { get; init; }

    /// <summary>When to come back, if the collector said so before it stopped.</summary>
    public TimeSpan? ReconnectAfter { get; private set; }

    /// <summary>Runs until the stream ends; returns when the collector ended it in order.</summary>
    /// <param name="welcomed">Called when the collector has accepted us.</param>
    /// <exception cref="RpcException">The collector refused, or the connection broke.</exception>
    public async Task RunAsync(Hello hello, Action<Welcome> welcomed, CancellationToken cancellation)
    {
        var welcome = await GreetAsync(hello, cancellation);
        Begin(welcome);
        welcomed(welcome);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        store.Changed += Wake;
        checks.Changed += Wake;
        health.Changed += Wake;
        try
        {
            var reading = ReadAllAsync(ended.Token);
            var writing = WriteAllAsync(ended.Token);
            var first = await Task.WhenAny(reading, writing);
            await ended.CancelAsync();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await first;
        }
        finally
        {
            store.Changed -= Wake;
            checks.Changed -= Wake;
            health.Changed -= Wake;
            store.Apply(ledger => ledger.Withdrawn());
        }
    }

    public void Dispose()
    {
        call.Dispose();
        lock (_gate)
        {
            _isOver = true;
            _wake.Dispose();
        }
    }

    private async Task<Welcome> GreetAsync(Hello hello, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(WelcomeDeadline);
        try
        {
            await call.RequestStream.WriteAsync(new ConnectRequest { Hello = hello }, deadline.Token);
            if (!await call.ResponseStream.MoveNext(deadline.Token))
                throw new RpcException(new Status(StatusCode.Unavailable, "the collector ended the stream without a welcome"));
        }
        catch (Exception e) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the collector did not answer the hello within 10 seconds", e));
        }

        return call.ResponseStream.Current.Welcome
            ?? throw new RpcException(new Status(StatusCode.Internal, "the collector's first message is no welcome"));
    }

    private void Begin(Welcome welcome)
    {
        if (welcome.NodeFormat != TreeNode.Format)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the collector wants node format {welcome.NodeFormat}, this agent makes {TreeNode.Format}"));

        if (welcome.HeartbeatInterval?.ToTimeSpan() is { } interval && interval >= TimeSpan.FromSeconds(1))
            _heartbeat = interval;
        _heartbeatSent = clock.GetTimestamp();

        rules.Apply(welcome.Policy, welcome.FleetKey);
        var now = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();
        Stored(store.Apply(ledger => ledger.Met(welcome.Watermark(), welcome.KnownRoots?.ToModel(), now)));
        _areChecksWanted = welcome.ChecksWanted;
        if (_areChecksWanted)
            checks.Begin(new HeadPosition(welcome.ChecksEpoch, welcome.ChecksSequence));
        health.Begin(welcome.HealthWanted, welcome.HealthEpoch, welcome.HealthSequence, welcome.PresenceWanted);
    }

    private async Task ReadAllAsync(CancellationToken cancellation)
    {
        while (await call.ResponseStream.MoveNext(cancellation))
        {
            lock (_gate)
                Note(call.ResponseStream.Current);
            Wake();
        }
    }

    private void Note(ConnectResponse response)
    {
        switch (response.MessageCase)
        {
            case ConnectResponse.MessageOneofCase.Ack when response.Ack.Lane == Lane.State:
                NoteAck(new HeadPosition(response.Ack.Epoch, response.Ack.Sequence));
                break;
            case ConnectResponse.MessageOneofCase.Ack when response.Ack.Lane == Lane.Checks:
                checks.Acked(new HeadPosition(response.Ack.Epoch, response.Ack.Sequence));
                break;
            case ConnectResponse.MessageOneofCase.Ack when response.Ack.Lane == Lane.Health:
                health.Acked(response.Ack.Epoch, response.Ack.Sequence);
                break;
            case ConnectResponse.MessageOneofCase.NodeRequest:
                if (!_outbox.Request(response.NodeRequest.Digests.Select(digest => digest.ToDigest())))
                    throw new RpcException(new Status(StatusCode.Internal, "the collector asks for more nodes than a head can have"));
                break;
            case ConnectResponse.MessageOneofCase.Policy:
                rules.Apply(response.Policy, ByteString.Empty);
                break;
            case ConnectResponse.MessageOneofCase.NodesTaken:
                _outbox.Taken(response.NodesTaken.Bytes);
                break;
            case ConnectResponse.MessageOneofCase.Challenge when response.Challenge.Nonce.Length <= MaxNonce && _challenges.Count < MaxChallenges:
                _challenges.Enqueue(response.Challenge.Nonce);
                break;
            case ConnectResponse.MessageOneofCase.Drain:
                // Its conversion to a time span throws at what is out of bounds.
                ReconnectAfter = TimeSpan.FromSeconds(Math.Clamp(
                    response.Drain.ReconnectAfter is { } after ? after.Seconds + (after.Nanos / 1e9) : 0, 0, LongestReturn.TotalSeconds));
                break;
        }
    }

    private void NoteAck(HeadPosition position)
    {
        var ledger = store.Apply(ledger => ledger.Acked(position));
        Stored(ledger);
        if (!ledger.IsInFlight)
            _outbox.Clear();
        Acked?.Invoke(position);
    }

    private void Stored(HeadLedger ledger)
    {
        if (ledger.Acknowledged is { } head)
            changes.Stored(head.Generation);
    }

    private async Task WriteAllAsync(CancellationToken cancellation)
    {
        while (true)
        {
            while (Next() is { } message)
                await WriteAsync(message, cancellation);

            pulse.Beat();
            var wait = _heartbeat - clock.GetElapsedTime(_heartbeatSent);
            if (wait > LoopPulse.LongestSilence)
                wait = LoopPulse.LongestSilence;
            if (wait > TimeSpan.Zero)
                await _wake.WaitAsync(wait, cancellation);
        }
    }

    private async Task WriteAsync(ConnectRequest message, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(WriteDeadline, clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            var writing = call.RequestStream.WriteAsync(message, deadline.Token);
            for (pulse.Beat(); !writing.IsCompleted; pulse.Beat())
                await writing.WaitAsync(LoopPulse.LongestSilence, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await writing;
        }
        catch (Exception e) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the collector takes nothing any more", e));
        }
    }

    /// <summary>What to send now: an answer, a heartbeat that is due, then state, then checks, then health.</summary>
    private ConnectRequest? Next()
    {
        if (Answer() is { } answer)
            return new ConnectRequest { ChallengeAnswer = answer };
        if (Heartbeat() is { } heartbeat)
            return new ConnectRequest { Heartbeat = heartbeat };

        lock (_gate)
        {
            if (State() is { } state)
                return state;
            if (_outbox.Next() is { } nodes)
            {
                if (nodes.Unavailable.Count > 0)
                    Withdraw();
                return new ConnectRequest { Nodes = nodes };
            }
        }

        if (_areChecksWanted && checks.Next(ref _toldChecks) is { } news)
            return new ConnectRequest { Checks = news.ToCheckBatch() };
        return health.Next() is { } record ? new ConnectRequest { Health = Shortened(record) } : null;
    }

    /// <summary>Changes, and then the head that has them.</summary>
    private ConnectRequest? State()
    {
        while (true)
        {
            // The head first: all that is to be told before it is in the log by then. Of one that is made meanwhile it may not be.
            var ledger = store.Ledger;
            if (ChangeMapping.Next(changes, ref _toldChanges) is { } batch)
                return new ConnectRequest { Changes = batch };
            if (ledger.IsInFlight || ledger.IsAcknowledged || ledger.Position == _withdrawn || !rules.AreLookedAt)
                return null;
            if (Announce(ledger.Position) is { } head)
                return new ConnectRequest { Head = head };
        }
    }

    private HealthBatch Shortened(SpoolRecord record)
    {
        var batch = record.ToMessage();
        _series.Shorten(batch);
        return batch;
    }

    private ChallengeAnswer? Answer()
    {
        lock (_gate)
            return _challenges.TryDequeue(out var nonce) ? new ChallengeAnswer { Nonce = nonce } : null;
    }

    private Heartbeat? Heartbeat()
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(_heartbeatSent, now) < _heartbeat)
            return null;
        _heartbeatSent = now;
        return new Heartbeat { SentAt = clock.GetUtcNow().ToTimestamp(), ObservedAt = store.Ledger.LookCompletedAt?.ToTimestamp() };
    }

    /// <summary>One head at a time; those that came meanwhile are told by the newest.</summary>
    /// <returns>Null when another one is current by now.</returns>
    private Head? Announce(HeadPosition position)
    {
        if (store.Announce(position) is not { } announcement)
            return null;

        _outbox.Clear();
        var lacking = announcement.KnownGeneration is { } known ? store.NodesSince(known, MaxPushed) : null;
        if (lacking is not null)
            _outbox.Push(lacking);
        return announcement.ToMessage(_toldScopes.Add(announcement.Head.Coverage.Scope.Digest), lacking?.Count ?? 0);
    }

    /// <summary>The head can't be completed any more: the current one follows.</summary>
    private void Withdraw()
    {
        _outbox.Clear();
        _withdrawn = store.Ledger.Announced?.Position;
        store.Apply(ledger => ledger.Withdrawn());
    }

    /// <summary>An event that was on its way when nobody listened any more comes all the same.</summary>
    private void Wake()
    {
        lock (_gate)
        {
            if (!_isOver && _wake.CurrentCount == 0)
                _wake.Release();
        }
    }
}
