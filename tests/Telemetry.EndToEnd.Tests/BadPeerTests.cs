using System.Globalization;
using Grpc.Core;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Whatever one peer sends, its stream ends with the right status, and nobody else notices.</summary>
public sealed class BadPeerTests(BadPeerTests.SharedCollector shared) : IClassFixture<BadPeerTests.SharedCollector>, IAsyncLifetime
{
    private static readonly TimeSpan Standstill = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private WireAgent _bystander = null!;

    public static TheoryData<string> Refused => [.. BadPeers.Refused.Keys];

    public static TheoryData<string> Borne => [.. BadPeers.Borne.Keys];

    public async ValueTask InitializeAsync()
    {
        _bystander = await WireAgent.Connect(shared.Server, $"i-{Guid.NewGuid()}");
        _bystander.Change("/conf", "a");
        await _bystander.Report();
    }

    public ValueTask DisposeAsync() => _bystander.DisposeAsync();

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Message_NoAgentSends_IsRefused(string what)
    {
        await using var peer = new RawStream(shared.Server);

        var status = await peer.SendAll(BadPeers.Refused[what]);

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.DoesNotContain(status.Detail, char.IsControl);
        await NobodyElseNotices();
    }

    [Theory]
    [MemberData(nameof(Borne))]
    public async Task Message_WithAMistakeThatDecidesNothing_HarmsNobody(string what)
    {
        await using var peer = new RawStream(shared.Server);

        var status = await peer.SendAll(BadPeers.Borne[what]);

        Assert.Contains(status.StatusCode, (StatusCode[])[StatusCode.OK, StatusCode.InvalidArgument]);
        await NobodyElseNotices();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(64)]
    public async Task Message_TooLong_IsRefused(int mebibytes)
    {
        await using var peer = new RawStream(shared.Server);

        var status = await peer.SendAll(BadPeers.AfterHello().Append(new byte[mebibytes * 1024 * 1024]));

        Assert.Equal(StatusCode.ResourceExhausted, status.StatusCode);
        await NobodyElseNotices();
    }

    /// <summary>What is held for a head that is not complete is limited, whatever the nodes are made to become in memory.</summary>
    [Theory]
    [InlineData("long keys")]
    [InlineData("tiny nodes")]
    [InlineData("empty nodes")]
    [InlineData("nodes of the longest")]
    public async Task Nodes_OfAHeadThatNeverCompletes_AreRefusedBeforeTheyFillTheMemory(string what)
    {
        await using var peer = new RawStream(shared.Server);
        var nodes = what switch
        {
            "long keys" => BadNodes.LongKeys(),
            "tiny nodes" => Enumerable.Range(0, 2_000_000).Select(BitConverter.GetBytes),
            "empty nodes" => Enumerable.Repeat(Array.Empty<byte>(), 2_000_000),
            _ => Enumerable.Range(0, 1_000).Select(i => (byte[])[.. BitConverter.GetBytes(i), .. new byte[TreeNode.MaxLength]]),
        };
        var head = BadPeers.Head(head => head.Pushed = (uint)nodes.Count(), nodes.First());

        var batches = nodes.Chunk(what is "tiny nodes" or "empty nodes" ? 10_000 : 5).Select(BadPeers.Nodes);

        var status = await peer.SendAll(BadPeers.AfterHello(batches.Prepend(head)));

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        await NobodyElseNotices();
    }

    [Fact]
    public async Task Heads_OfManyPeersThatPushWithoutEnd_DelayNobody()
    {
        var peers = Enumerable.Range(0, 20).Select(_ => new RawStream(shared.Server)).ToList();
        await Task.WhenAll(peers.Select(async (peer, number) =>
        {
            foreach (var message in BadPeers.AfterHello(BadPeers.Head(head => head.Pushed = uint.MaxValue, BadNodes.Leaf("a"))))
                await peer.Send(message);
            for (var i = 0; i < 100; i++)
                await peer.Send(BadPeers.Nodes([[.. BitConverter.GetBytes(number), .. BitConverter.GetBytes(i), .. new byte[64 * 1024]]]));
        }));

        await NobodyElseNotices();

        foreach (var peer in peers)
            await peer.DisposeAsync();
    }

    /// <summary>A scope may be named by its digest later on the same stream; so it is remembered, but not without end.</summary>
    [Fact]
    public async Task Heads_EachOfAnotherBigScope_AreRefusedBeforeTheyFillTheMemory()
    {
        await using var peer = new RawStream(shared.Server);
        var heads = Enumerable.Range(0, 300).Select(i => BadPeers.Head(head => BadScope(head, i)));

        var status = await peer.SendAll(BadPeers.AfterHello(heads));

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        await NobodyElseNotices();
    }

    [Fact]
    public async Task Flood_OfSmallMessages_DelaysNobody()
    {
        await using var peer = new RawStream(shared.Server);
        var heartbeat = new V1.ConnectRequest { Heartbeat = new V1.Heartbeat() };
        var flood = peer.SendAll(BadPeers.AfterHello(Enumerable.Repeat(heartbeat, 200_000)));

        await NobodyElseNotices();

        Assert.Equal(StatusCode.OK, (await flood).StatusCode);
        await NobodyElseNotices();
    }

    [Fact]
    public async Task Peer_ThatReadsNoAnswers_IsNotReadFromEither()
    {
        await using var peer = new RawStream(shared.Server);
        await peer.Send(new V1.ConnectRequest { Hello = BadPeers.Hello() });

        var sent = 0;
        try
        {
            for (; sent < 1_000_000; sent++)
                await peer.Send(BadPeers.Nodes()).WaitAsync(Standstill, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            // The answers stand in its way.
        }

        Assert.InRange(sent, 1, 999_999);
        await NobodyElseNotices();
    }

    private static void BadScope(V1.Head head, int number)
    {
        var scope = new Scope(
            [EntryKey.Of($"{number}"), .. Enumerable.Range(0, 200).Select(i => EntryKey.Of($"{i}" + new string('x', 4000)))], []);
        head.Sequence = (ulong)number + 1;
        head.Coverage.Scope = scope.ToMessage();
        head.Coverage.ScopeDigest = scope.Digest.ToMessage();
    }

    /// <summary>Another agent's next head is stored, nothing failed that the collector had not expected, and it did not grow.</summary>
    private async Task NobodyElseNotices()
    {
        _bystander.Change("/conf", "b");
        await _bystander.Report().WaitAsync(Patience, TestContext.Current.CancellationToken);
        shared.HasFailedAtNothing();
        shared.HasStayedSmall();
    }

    /// <summary>One collector for all of them, and an agent that means well.</summary>
    public sealed class SharedCollector : IAsyncLifetime
    {
        // A collector at rest has about 100 MB resident; what one peer may make it hold comes on top.
        private const long MaxPeakKilobytes = 600 * 1024;

        // Health is wanted: its points wait, as nothing listens there.
        private readonly Installation _installation = new(collectorSettings: """
            [timeseries]
            kind = "influxdb"
            url = "http://127.0.0.1:9/"
            database = "telemetry"
            """);

        private int _seen;

        internal string Server => _installation.AgentsServer;

        public async ValueTask InitializeAsync() => await _installation.StartCollector();

        public ValueTask DisposeAsync() => _installation.DisposeAsync();

        /// <summary>Since it was asked last.</summary>
        internal void HasFailedAtNothing()
        {
            var log = _installation.Collector.Log[_seen..];
            _seen += log.Length;
            Assert.DoesNotContain("fail:", log, StringComparison.Ordinal);
            Assert.DoesNotContain("crit:", log, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", log, StringComparison.OrdinalIgnoreCase);
        }

        /// <summary>Since it was asked last.</summary>
        internal void HasStayedSmall()
        {
            var peak = PeakKilobytes();

            // Begins the count anew (proc_pid_clear_refs(5)).
            File.WriteAllText($"/proc/{_installation.Collector.ProcessId}/clear_refs", "5");
            Assert.InRange(peak, 1, MaxPeakKilobytes);
        }

        private long PeakKilobytes()
        {
            var line = File.ReadLines($"/proc/{_installation.Collector.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
    }
}
