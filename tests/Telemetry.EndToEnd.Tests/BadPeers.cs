using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What no agent says, by name: all messages of a stream.</summary>
internal static class BadPeers
{
    private static readonly Timestamp Observed = new DateTimeOffset(2026, 3, 3, 10, 0, 0, TimeSpan.Zero).ToTimestamp();

    private static readonly byte[] NoText = [0xff, 0xfe, 0xc0, 0x80];

    private static readonly Dictionary<string, Timestamp?> NoTimes = new()
    {
        ["that is absent"] = null,
        ["before all years"] = new Timestamp { Seconds = long.MinValue },
        ["after all years"] = new Timestamp { Seconds = long.MaxValue, Nanos = 999_999_999 },
        ["of negative nanoseconds"] = new Timestamp { Seconds = 1, Nanos = -1 },
        ["of too many nanoseconds"] = new Timestamp { Seconds = 1, Nanos = int.MaxValue },
    };

    private static readonly Dictionary<string, Timestamp> OddTimes = new()
    {
        ["in the first second of all"] = DateTimeOffset.MinValue.ToTimestamp(),
        ["in the last second of all"] = DateTimeOffset.MaxValue.ToTimestamp(),
    };

    /// <summary>Ends with InvalidArgument.</summary>
    public static IReadOnlyDictionary<string, IEnumerable<byte[]>> Refused { get; } = MakeRefused();

    /// <summary>Is ignored, or ends with InvalidArgument: what it has wrong decides nothing.</summary>
    public static IReadOnlyDictionary<string, IEnumerable<byte[]>> Borne { get; } = MakeBorne();

    public static V1.Hello Hello(Action<V1.Hello>? change = null)
    {
        var hello = new V1.Hello { InstanceId = $"i-{Guid.NewGuid()}", Name = "bad", AgentVersion = "1.0", SentAt = Observed };
        hello.NodeFormats.Add(TreeNode.Format);
        change?.Invoke(hello);
        return hello;
    }

    public static V1.ConnectRequest Head(Action<V1.Head>? change = null, byte[]? root = null)
    {
        var head = new V1.Head
        {
            Epoch = 1,
            Sequence = 1,
            Roots = (root is null ? Roots.Empty : Roots.Empty.With(EntryKind.File, TreeNode.DigestOf(root))).ToMessage(),
            Coverage = new Coverage(Scope.Everything, [new Scanner(EntryKind.File, "file", 1, 0)], [], []).ToMessage(),
            ObservedAt = Observed,
        };
        change?.Invoke(head);
        return new V1.ConnectRequest { Head = head };
    }

    public static V1.ConnectRequest Nodes(params IEnumerable<byte[]> nodes)
    {
        var batch = new V1.NodeBatch();
        batch.Nodes.AddRange(nodes.Select(node => UnsafeByteOperations.UnsafeWrap(node)));
        return new V1.ConnectRequest { Nodes = batch };
    }

    /// <summary>The bytes of messages behind a hello.</summary>
    public static IEnumerable<byte[]> AfterHello(params IEnumerable<V1.ConnectRequest> messages) =>
        messages.Prepend(new V1.ConnectRequest { Hello = Hello() }).Select(message => message.ToByteArray());

    private static Dictionary<string, IEnumerable<byte[]>> MakeRefused()
    {
        var all = new Dictionary<string, IEnumerable<byte[]>>
        {
            ["bytes that are no message"] = [NoText],
            ["a message that ends early"] = [new V1.ConnectRequest { Hello = Hello() }.ToByteArray()[..^3]],
            ["groups in groups without end"] = [[.. Enumerable.Repeat((byte)0x7b, 100_000)]],
            ["no message at all"] = [[]],
            ["a heartbeat before the hello"] = [new V1.ConnectRequest { Heartbeat = new V1.Heartbeat() }.ToByteArray()],
            ["a head before the hello"] = [Head().ToByteArray()],
            ["bytes that are no message behind the hello"] = AfterHello().Append(NoText),
            ["a second hello"] = AfterHello(new V1.ConnectRequest { Hello = Hello() }),
        };

        AddHello("without an id", hello => hello.InstanceId = "");
        AddHello("with a path as id", hello => hello.InstanceId = "../../etc/passwd");
        AddHello("with an id of control characters", hello => hello.InstanceId = "i-\u001b[2J");
        AddHello("with an endless id", hello => hello.InstanceId = new string('i', 100_000));
        AddHello("with control characters in its name", hello => hello.Name = "web\u001b]0;owned\u0007");
        AddHello("with a name that reads backwards", hello => hello.Name = "web\u202egnp");
        AddHello("with control characters in a tag", hello => hello.Tags["role"] = "a\nb");
        AddHello("with too many tags", hello => hello.Tags.Add(Enumerable.Range(0, 10_000).ToDictionary(i => $"{i}", i => "")));
        AddHello("with no node format", hello => hello.NodeFormats.Clear());
        all["a hello with a name that is no UTF-8"] = [NotUtf8(new V1.ConnectRequest { Hello = Hello(hello => hello.Name = "####") })];

        AddHead("without roots", head => head.Roots = null);
        AddHead("with a short root", head => head.Roots.Setting = ByteString.CopyFrom(new byte[31]));
        AddHead("without coverage", head => head.Coverage = null);
        AddHead("with a scope never told", head => head.Coverage.Scope = null);
        AddHead("with another scope than its digest's", head => head.Coverage.Scope.Exclude.Add(ByteString.CopyFromUtf8("etc")));
        AddHead("of epoch 0", head => head.Epoch = 0);
        AddHead("of sequence 0", head => head.Sequence = 0);
        AddHead("of an epoch beyond 2^63", head => head.Epoch = 1ul << 63);
        AddHead("of the last sequence of all", head => head.Sequence = ulong.MaxValue);
        AddHead("with a scanner of no kind", head => head.Coverage.Scanners[0].Kind = (V1.Kind)99);
        AddHead("with a scanner named to deceive", head => head.Coverage.Scanners[0].Name = "file\u001b[31m");
        AddHead("with a gap longer than a key", head => head.Coverage.Gaps.Add(new V1.Gap { Kind = V1.Kind.File, Prefix = ByteString.CopyFrom(new byte[5000]) }));
        AddHead("with too many gaps", head => head.Coverage.Gaps.Add(Enumerable.Repeat(new V1.Gap { Kind = V1.Kind.File }, 10_001)));
        AddHead("with a pattern that takes for ever", head => head.Coverage.Scope.Parsed.Add(string.Concat(Enumerable.Repeat("/**/a", 700))));
        AddHead("with a pattern of control characters", head => head.Coverage.Scope.Parsed.Add("/\u001b[2J//a"));

        foreach (var (what, time) in NoTimes)
        {
            AddHead($"observed at a time {what}", head => head.ObservedAt = time);
            AddHead($"with a loss window from a time {what}", head => head.Coverage.LossWindows.Add(new V1.LossWindow { From = time, To = Observed }));
            AddHead($"with a loss window to a time {what}", head => head.Coverage.LossWindows.Add(new V1.LossWindow { From = Observed, To = time }));
            AddChange($"observed at a time {what}", change => change.Records[0].ObservedAt = time);
            AddChange($"of a transaction begun at a time {what}", change => change.Transactions[0].BeganAt = time);
            if (time is not null)
            {
                AddHead($"observed after a time {what}", head => head.ObservedAfter = time);
                AddChange($"of a transaction ended at a time {what}", change => change.Transactions[0].EndedAt = time);
            }
        }

        AddChange("of no kind", change => change.Records[0].Kind = V1.Kind.Unspecified);
        AddChange("of a key longer than a key", change => change.Records[0].Key = ByteString.CopyFrom(new byte[5000]));
        AddChange("by nobody in its batch", change => change.Records[0].Actor = uint.MaxValue);
        AddChange("in no transaction of its batch", change => change.Records[0].Transaction = 2);
        AddChange("to an endless fingerprint", change => change.Records[0].Fingerprint = ByteString.CopyFrom(new byte[1000]));
        AddChange("by an endless program", change => change.Actors[0].Executable = new string('/', 100_000));
        AddChange("with an endless command line", change => change.Actors[0].CommandLine.Add(Enumerable.Repeat("", 100_000)));

        AddRoot("of unsorted keys", BadNodes.Leaf("b", "a"));
        AddRoot("of a key twice", BadNodes.Leaf("a", "a"));
        AddRoot("with a byte too many", [.. BadNodes.Leaf("a"), 0]);
        AddRoot("with a byte too few", BadNodes.Leaf("a")[..^1]);
        AddRoot("of another format", [9, .. BadNodes.Leaf("a")[1..]]);
        AddRoot("of level 32", BadNodes.Interior(32, Digest.Of([]), "a", "b"));
        AddRoot("of level 255", BadNodes.Interior(255, Digest.Of([]), "a", "b"));
        AddRoot("without children", [TreeNode.Format, 1, 0]);
        AddRoot("with 2^63 entries", [TreeNode.Format, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        AddRoot("that is empty", [[]]);
        AddRoot("longer than a node", new byte[1_000_000]);
        AddRoot("with a single child", BadNodes.Interior(1, TreeNode.DigestOf(BadNodes.Leaf("a")), "a"), BadNodes.Leaf("a"));
        AddRoot("with a child that begins elsewhere", BadNodes.Interior(1, TreeNode.DigestOf(BadNodes.Leaf("a")), "a", "b"), BadNodes.Leaf("a"));
        AddRoot("levels above its child", BadNodes.Interior(31, TreeNode.DigestOf(BadNodes.Leaf("a")), "a", "b"), BadNodes.Leaf("a"));
        AddRoot("of 128^31 paths", [.. BadNodes.RepeatedChildren(32).Reverse()]);
        return all;

        void AddHello(string what, Action<V1.Hello> change) => all["a hello " + what] = [new V1.ConnectRequest { Hello = Hello(change) }.ToByteArray()];

        void AddHead(string what, Action<V1.Head> change) => all["a head " + what] = AfterHello(Head(change));

        void AddChange(string what, Action<V1.ChangeBatch> change) => all["a change " + what] = AfterHello(Change(change));

        // The root and what is below it, pushed unasked.
        void AddRoot(string what, params byte[][] nodes) =>
            all["a root " + what] = AfterHello(Head(head => head.Pushed = (uint)nodes.Length, nodes[0]), Nodes(nodes));
    }

    private static Dictionary<string, IEnumerable<byte[]>> MakeBorne()
    {
        var all = new Dictionary<string, IEnumerable<byte[]>>
        {
            ["a message of a later version"] = AfterHello().Append([0xfa, 0x7f, 1, 0]),
            ["other nodes than were asked for"] = AfterHello(Head(root: BadNodes.Leaf("a")), Nodes(BadNodes.Leaf("b"), BadNodes.Leaf("c", "b"))),
            ["nodes without a head"] = AfterHello(Nodes(BadNodes.Leaf("b", "a"))),
            ["a head that pushes without end"] = AfterHello(Head(head => head.Pushed = uint.MaxValue, BadNodes.Leaf("a")), Nodes(BadNodes.Leaf("a"))),
            ["nodes that were never asked for and are gone"] = AfterHello(new V1.ConnectRequest { Nodes = new V1.NodeBatch { Unavailable = { ByteString.Empty } } }),
            ["a challenge's answer without a challenge"] = AfterHello(new V1.ConnectRequest { ChallengeAnswer = new V1.ChallengeAnswer { Nonce = ByteString.CopyFrom(new byte[1000]) } }),
            ["a reason that is no UTF-8"] = AfterHello().Append(NotUtf8(Head(head => head.Coverage.Gaps.Add(new V1.Gap { Kind = V1.Kind.File, Reason = "####" })))),
            ["a reason of control characters"] = AfterHello(Head(head => head.Coverage.Gaps.Add(new V1.Gap { Kind = V1.Kind.File, Reason = "\u001b[2J" }))),
        };
        foreach (var (what, time) in NoTimes)
        {
            all[$"a hello sent at a time {what}"] = [new V1.ConnectRequest { Hello = Hello(hello => (hello.SentAt, hello.BootedAt) = (time, time)) }.ToByteArray()];
            all[$"a heartbeat sent at a time {what}"] = AfterHello(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat { SentAt = time } });
            all[$"a heartbeat observed at a time {what}"] = AfterHello(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat { SentAt = Observed, ObservedAt = time } });
            all[$"health of a time {what}"] = AfterHello(Health(health => health.Points[0].Time = time));
            all[$"a loss of an hour {what}"] = AfterHello(Health(health => health.Losses.Add(new V1.Loss { Hour = time, Points = ulong.MaxValue })));
        }

        // They are times, if odd ones; whoever reckons with them must not leave the calendar.
        foreach (var (what, time) in OddTimes)
        {
            all[$"a head observed {what}"] = AfterHello(Head(head => (head.ObservedAt, head.ObservedAfter) = (time, time)));
            all[$"a loss window {what}"] = AfterHello(Head(head => head.Coverage.LossWindows.Add(new V1.LossWindow { From = time, To = time })));
            all[$"a change observed {what}"] = AfterHello(Change(change => change.Records[0].ObservedAt = time), Head());
            all[$"a transaction begun {what}"] = AfterHello(Change(change => change.Transactions[0].BeganAt = time), Head());
            all[$"health {what}"] = AfterHello(Health(health => health.Points[0].Time = time));
            all[$"a loss {what}"] = AfterHello(Health(health => health.Losses.Add(new V1.Loss { Hour = time, Points = 1 })));
            foreach (var (booted, bootTime) in OddTimes)
                all[$"a hello sent {what} by a machine booted {booted}"] = [new V1.ConnectRequest { Hello = Hello(hello => (hello.SentAt, hello.BootedAt) = (time, bootTime)) }.ToByteArray()];
        }

        all["health of position 0"] = AfterHello(Health(health => (health.Epoch, health.Sequence) = (0, 0)));
        all["health of a position beyond 2^63"] = AfterHello(Health(health => (health.Epoch, health.Sequence) = (ulong.MaxValue, ulong.MaxValue)));
        all["health of points without end"] = AfterHello(Health(health => health.Collected = ulong.MaxValue));
        all["health of control characters"] = AfterHello(Health(health => health.Points[0].Measurement = "cpu\n\u001b[2J"));
        all["health that is no number"] = AfterHello(Health(health => health.Points[0].Fields[0].FloatValue = double.NaN));
        return all;
    }

    private static V1.ConnectRequest Change(Action<V1.ChangeBatch> change)
    {
        var batch = new V1.ChangeBatch();
        batch.Actors.Add(new V1.Actor { Pid = 1, Executable = "/bin/sh" });
        batch.Transactions.Add(new V1.PackageTransaction { Id = "1", Manager = "dpkg", BeganAt = Observed });
        batch.Records.Add(new V1.ChangeRecord
        {
            Kind = V1.Kind.File,
            Key = ByteString.CopyFromUtf8("etc"),
            ObservedAt = Observed,
            Actor = 1,
            Transaction = 1,
        });
        change(batch);
        return new V1.ConnectRequest { Changes = batch };
    }

    private static V1.ConnectRequest Health(Action<V1.HealthBatch> change)
    {
        var point = new V1.Point { Measurement = "cpu", Time = Observed, Fields = { new V1.Field { Name = "usage", FloatValue = 1 } } };
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1, Points = { point } };
        change(batch);
        return new V1.ConnectRequest { Health = batch };
    }

    /// <summary>The message with bytes that are no UTF-8 where it has <c>####</c>.</summary>
    private static byte[] NotUtf8(V1.ConnectRequest message)
    {
        var bytes = message.ToByteArray();
        NoText.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf("####"u8)));
        return bytes;
    }
}
