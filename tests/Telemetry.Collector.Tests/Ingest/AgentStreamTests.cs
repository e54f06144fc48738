using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class AgentStreamTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Head_OfUnknownNodes_IsAskedForAndAcknowledgedWhenStored()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        var tree = FileTree.OfSize(3_000);

        var ack = agent.Report(tree, sequence: 7);

        Assert.Equal(7ul, ack!.Sequence);
        var stored = _collector.Store.Read(transaction => transaction.Heads.Newest("i-1"))!;
        Assert.Equal(tree.Build().Roots, stored.Roots);
        Assert.Equal(3_000, _collector.Store.Read(transaction =>
            TreeReader.Entries(transaction.Nodes, stored.Roots.File).Count()));
    }

    [Fact]
    public void Head_EqualToAnotherInstances_MovesNoNodes()
    {
        new FakeAgent(_collector.NewStream()).Hello().Report(FileTree.OfSize(3_000));
        var second = new FakeAgent(_collector.NewStream(), "i-2").Hello();

        var ack = second.Report(FileTree.OfSize(3_000));

        Assert.NotNull(ack);
        Assert.Equal(0, second.NodesSent);
    }

    [Fact]
    public void Head_WithOneChangedFile_MovesTheNodesOnItsPathOnly()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        var tree = FileTree.OfSize(3_000);
        agent.Report(tree);
        var before = agent.NodesSent;

        tree["/srv/5/5"] = Some.File("tampered");
        agent.Report(tree, sequence: 2);

        Assert.InRange(agent.NodesSent - before, 1, 5);
    }

    [Fact]
    public async Task Answers_ThatAreNotTaken_TakeNoRoomFromOtherMessages()
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var (roots, nodes) = FileTree.OfSize(1_000).Build();
        var head = FakeAgent.Head(roots);
        head.Head.Pushed = (uint)nodes.Count;
        stream.Receive(head);
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Values.Select(bytes => ByteString.CopyFrom(bytes)));

        await using var answers = stream.ReceiveAsync(new V1.ConnectRequest { Nodes = batch }).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await answers.MoveNextAsync();

        Assert.Equal((ulong)nodes.Values.Sum(bytes => bytes.Length), answers.Current.NodesTaken.Bytes);
        Assert.Equal(0, _collector.Messages.Bytes);
        await answers.MoveNextAsync();
        Assert.Equal((V1.Lane.State, 1ul), (answers.Current.Ack.Lane, answers.Current.Ack.Sequence));
        Assert.False(await answers.MoveNextAsync());
        Assert.Equal(0, _collector.Messages.Bytes);
    }

    [Fact]
    public void Head_PushedWithItsNodes_IsCompleteWithoutARequest()
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var (roots, nodes) = FileTree.OfSize(200).Build();
        var head = FakeAgent.Head(roots);
        head.Head.Pushed = (uint)nodes.Count;
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Values.Select(bytes => ByteString.CopyFrom(bytes)));

        var announced = stream.Receive(head);
        var taken = stream.Receive(new V1.ConnectRequest { Nodes = batch });

        Assert.Empty(announced);
        Assert.DoesNotContain(taken, response => response.NodeRequest is not null);
        Assert.Contains(taken, response => response.Ack?.Sequence == 1);
    }

    [Fact]
    public void Head_PushedWithNodesThatAreStored_IsComplete()
    {
        new FakeAgent(_collector.NewStream(), "i-2").Hello().Report(FileTree.OfSize(200));
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var (roots, nodes) = FileTree.OfSize(200).Build();
        var head = FakeAgent.Head(roots);
        head.Head.Pushed = (uint)nodes.Count;
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Values.Select(bytes => ByteString.CopyFrom(bytes)));

        stream.Receive(head);
        var taken = stream.Receive(new V1.ConnectRequest { Nodes = batch });

        Assert.Contains(taken, response => response.Ack?.Sequence == 1);
    }

    [Fact]
    public void Head_ThatIsRedelivered_IsAcknowledgedAndChangesNothing()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        agent.Report(FileTree.OfSize(10), sequence: 3);

        var ack = agent.Report(FileTree.OfSize(11), sequence: 3);

        Assert.Equal(3ul, ack!.Sequence);
        Assert.Equal(FileTree.OfSize(10).Build().Roots, _collector.Store.Read(transaction => transaction.Heads.Newest("i-1"))!.Roots);
    }

    [Fact]
    public void Welcome_AfterARestart_KnowsTheNewestHead()
    {
        var tree = FileTree.OfSize(10);
        new FakeAgent(_collector.NewStream()).Hello().Report(tree, sequence: 4, epoch: 9);

        _collector.Restart();
        var agent = new FakeAgent(_collector.NewStream()).Hello();

        Assert.Equal((9ul, 4ul), (agent.Welcome.Epoch, agent.Welcome.Sequence));
        Assert.Equal(tree.Build().Roots, agent.Welcome.KnownRoots.ToModel());
    }

    [Fact]
    public void Welcome_OfAnInstanceNobodyBound_CarriesTheDefaultPolicyAndTheFleetsKey()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();

        Assert.Equal(ShippedPolicies.Default.ToMessage(), agent.Welcome.Policy);
        Assert.Equal(_collector.FleetKey.ToArray(), agent.Welcome.FleetKey.ToByteArray());
    }

    [Fact]
    public void Welcome_OfABoundInstance_CarriesThePolicyOfItsLine()
    {
        _ = new CertifiedInstance(_collector);
        _collector.PolicyRegistry.Set("name = \"web\"", "web.toml", "admin");
        _collector.Baselines.SetPolicy("shop", "web");

        Assert.Equal("web", new FakeAgent(_collector.NewStream()).Hello().Welcome.Policy.Name);
        Assert.Equal("default", new FakeAgent(_collector.NewStream(), "i-2").Hello().Welcome.Policy.Name);
    }

    [Fact]
    public void AnotherPolicy_IsToldOnceWhenItComesIntoForce()
    {
        _ = new CertifiedInstance(_collector);
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        _collector.PolicyRegistry.Set("name = \"web\"", "web.toml", "admin");
        var unconcerned = stream.Pending();

        _collector.Baselines.SetPolicy("shop", "web");
        var bound = Assert.Single(stream.Pending());
        _collector.PolicyRegistry.Set("name = \"web\"\nexclude = [\"/opt\"]", "web.toml", "admin");
        var changed = Assert.Single(stream.Pending());

        Assert.Empty(unconcerned);
        Assert.Equal("web", bound.Policy.Name);
        Assert.Single(changed.Policy.Exclude);
        Assert.Empty(stream.Pending());
    }

    [Theory]
    [InlineData("set")]
    [InlineData("bind")]
    public async Task Signal_OfAConnectedInstance_ComesWithEveryChangeThatConcernsIt(string change)
    {
        _ = new CertifiedInstance(_collector);
        using var concerned = await _collector.Agents.EnterAsync("i-1", TestContext.Current.CancellationToken);
        using var unconcerned = await _collector.Agents.EnterAsync("i-2", TestContext.Current.CancellationToken);
        var (before, other) = (concerned.Woken, unconcerned.Woken);

        if (change == "set")
            _collector.PolicyRegistry.Set("name = \"default\"", "p.toml", "admin");
        else
            _collector.Baselines.SetPolicy("shop", "default");

        Assert.True(before.IsCompleted);
        Assert.False(concerned.Woken.IsCompleted);
        Assert.False(other.IsCompleted);
    }

    [Fact]
    public void Nodes_ThatTheAgentNoLongerHas_WithdrawTheHeadAndTheNextOneCompletes()
    {
        var stream = _collector.NewStream();
        var agent = new FakeAgent(stream).Hello();
        stream.Receive(FakeAgent.Head(FileTree.OfSize(50).Build().Roots));
        var gone = new V1.NodeBatch();
        gone.Unavailable.Add(FileTree.OfSize(50).Build().Roots.File.ToMessage());

        stream.Receive(new V1.ConnectRequest { Nodes = gone });
        var ack = agent.Report(FileTree.OfSize(60), sequence: 2);

        Assert.Equal(2ul, ack!.Sequence);
    }

    [Fact]
    public void Nodes_OfAnInterruptedFirstContact_AreNotSentAgain()
    {
        var tree = FileTree.OfSize(60_000);
        var (roots, nodes) = tree.Build();
        var first = _collector.NewStream();
        new FakeAgent(first).Hello();
        var sent = SendSome(first, roots, nodes, stopAfter: nodes.Count / 2);

        var second = new FakeAgent(_collector.NewStream()).Hello();
        var ack = second.Report(tree, sequence: 2);

        Assert.NotNull(ack);
        Assert.InRange(second.NodesSent, 1, nodes.Count - (sent / 2));
    }

    [Fact]
    public void Heads_OfOneUnknownTree_AreBroughtByFewAndFoundByTheOthers()
    {
        var tree = FileTree.OfSize(5_000);
        var (roots, nodes) = tree.Build();
        var streams = Enumerable.Range(0, 8).Select(i =>
        {
            var stream = _collector.NewStream();
            new FakeAgent(stream, $"i-{i}").Hello();
            return stream;
        }).ToList();

        // All announce before anybody has sent a node; each is served in turn until nothing more is asked of it.
        var sent = new int[streams.Count];
        var open = streams.Select(stream => new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots)))).ToList();
        var acknowledged = 0;
        for (var round = 0; acknowledged < streams.Count && round < 1_000; round++)
        {
            for (var i = 0; i < streams.Count; i++)
            {
                foreach (var response in streams[i].Pending())
                    open[i].Enqueue(response);
                if (!open[i].TryDequeue(out var next))
                    continue;
                acknowledged += next.Ack is null ? 0 : 1;
                if (next.NodeRequest is not { } request)
                    continue;
                var batch = new V1.NodeBatch();
                batch.Nodes.AddRange(request.Digests.Select(digest => ByteString.CopyFrom(nodes[digest.ToDigest()])));
                sent[i] += batch.Nodes.Count;
                foreach (var answer in streams[i].Receive(new V1.ConnectRequest { Nodes = batch }))
                    open[i].Enqueue(answer);
            }
        }

        Assert.Equal(streams.Count, acknowledged);
        Assert.Equal(4, sent.Count(count => count > nodes.Count / 2));
        Assert.All(sent.Order().Take(4), count => Assert.InRange(count, 1, nodes.Count / 4));
    }

    [Fact]
    public void Heads_MoreThanAnyAgentSends_AreRefusedUntilTimePasses()
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello().Report(FileTree.OfSize(10), sequence: 2_000);
        var head = FakeAgent.Head(FileTree.OfSize(10).Build().Roots);

        var sent = 0;
        for (; sent < 2_000 && Record.Exception(() => stream.Receive(head)) is null;)
            sent++;

        Assert.InRange(sent, 900, 1_000);
        Assert.Throws<Telemetry.Collector.Ingest.FloodException>(() => stream.Receive(head));
        Assert.Empty(stream.Receive(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat() }));
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(stream.Receive(head));
    }

    [Theory]
    [InlineData("tampered leaf")]
    [InlineData("a node that is none")]
    [InlineData("position zero")]
    [InlineData("scope never told")]
    [InlineData("second hello")]
    [InlineData("too many change records")]
    public void Message_NoAgentSends_IsRefused(string what)
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var (roots, nodes) = FileTree.OfSize(5).Build();
        var request = FakeAgent.Head(roots);
        var leaf = nodes[roots.File];
        var batch = new V1.NodeBatch();
        switch (what)
        {
            case "tampered leaf":
                // Asked for by its own digest, so that only its form can give it away.
                leaf = [.. leaf, 0];
                stream.Receive(FakeAgent.Head(Roots.Empty.With(EntryKind.File, TreeNode.DigestOf(leaf))));
                batch.Nodes.Add(ByteString.CopyFrom(leaf));
                request = new V1.ConnectRequest { Nodes = batch };
                break;
            case "a node that is none":
                byte[] nonsense = [9, 9, 9];
                stream.Receive(FakeAgent.Head(Roots.Empty.With(EntryKind.File, TreeNode.DigestOf(nonsense))));
                batch.Nodes.Add(ByteString.CopyFrom(nonsense));
                request = new V1.ConnectRequest { Nodes = batch };
                break;
            case "position zero":
                request.Head.Sequence = 0;
                break;
            case "scope never told":
                request.Head.Coverage.Scope = null;
                request.Head.Coverage.ScopeDigest = ByteString.CopyFrom(new byte[32]);
                break;
            case "too many change records":
                request = new V1.ConnectRequest { Changes = new V1.ChangeBatch() };
                request.Changes.Records.AddRange(Enumerable.Repeat(new V1.ChangeRecord(), 1_001));
                break;
            default:
                request = new V1.ConnectRequest { Hello = new V1.Hello() };
                break;
        }

        var refusal = Record.Exception(() => stream.Receive(request));

        Assert.True(refusal is BadMessageException or NotCanonicalException, $"{refusal}");
        Assert.Null(_collector.Store.Read(transaction => transaction.Heads.Newest("i-1")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../etc")]
    [InlineData("i-1\u001b[31m")]
    public void Hello_WithAnIdThatIsNone_IsRefused(string id)
    {
        var hello = new V1.Hello { InstanceId = id };
        hello.NodeFormats.Add(TreeNode.Format);

        Assert.Throws<BadMessageException>(() => _collector.NewStream().Welcome(hello));
    }

    private static int SendSome(Telemetry.Collector.Ingest.AgentStream stream, Roots roots, IReadOnlyDictionary<Digest, byte[]> nodes, int stopAfter)
    {
        var sent = 0;
        var queue = new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots)));
        while (queue.TryDequeue(out var response) && sent < stopAfter)
        {
            if (response.NodeRequest is not { } request)
                continue;

            var batch = new V1.NodeBatch();
            batch.Nodes.AddRange(request.Digests.Select(digest => ByteString.CopyFrom(nodes[digest.ToDigest()])));
            sent += batch.Nodes.Count;
            foreach (var answer in stream.Receive(new V1.ConnectRequest { Nodes = batch }))
                queue.Enqueue(answer);
        }

        return sent;
    }
}
