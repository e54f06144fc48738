using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Mapping;

public sealed class ManifestMappingTests
{
    private static readonly ManifestHead Head = new(
        Roots.Empty.With(EntryKind.File, Digest.Of("file"u8)).With(EntryKind.System, Digest.Of("system"u8)),
        new Coverage(
            new Scope([EntryKey.Root], [EntryKey.OfPath("/home"), new EntryKey([0xff, 0])]),
            [new Scanner(EntryKind.Package, "dpkg", 1, 4), new Scanner(EntryKind.File, "file", 2, 0)],
            [new Gap(EntryKind.File, EntryKey.OfPath("/mnt/nfs"), "did not answer") { IsRefused = true }],
            [new LossWindow(Time(0), Time(7), "queue overflow")])
        {
            Watched = [new WatchedPart(EntryKey.Root, WatchMethod.Fanotify, ""), new WatchedPart(EntryKey.Of("mnt"), WatchMethod.Scans, "not here")],
        },
        Time(3600),
        "/ on web-1");

    public static TheoryData<string, Action<V1.Manifest>> Wrong => new()
    {
        { "the roots are absent", message => message.Roots = null },
        { "a digest of 0 bytes", message => message.Roots.File = ByteString.Empty },
        { "a digest of 31 bytes", message => message.Roots.System = ByteString.CopyFrom(new byte[31]) },
        { "the coverage is absent", message => message.Coverage = null },
        { "a scope that was never told", message => message.Coverage.Scope = null },
        { "does not match its digest", message => message.Coverage.Scope.Include.Clear() },
        { "a digest of 0 bytes", message => message.Coverage.ScopeDigest = ByteString.Empty },
        { "prefixes of a scope", message => message.Coverage.Scope.Include.AddRange(Enumerable.Repeat(ByteString.Empty, 10_001)) },
        { "a key of 4097 bytes", message => message.Coverage.Scope.Exclude.Add(ByteString.CopyFrom(new byte[4097])) },
        { "a key of 4097 bytes", message => message.Coverage.Gaps[0].Prefix = ByteString.CopyFrom(new byte[4097]) },
        { "gaps", message => message.Coverage.Gaps.AddRange(Enumerable.Repeat(new V1.Gap(), 10_001)) },
        { "scanners", message => message.Coverage.Scanners.AddRange(Enumerable.Repeat(new V1.Scanner(), 257)) },
        { "watched parts", message => message.Coverage.Watched.AddRange(Enumerable.Repeat(new V1.WatchedPart(), 1_001)) },
        { "loss windows", message => message.Coverage.LossWindows.AddRange(Enumerable.Repeat(new V1.LossWindow(), 10_001)) },
        { "a name of 0 characters", message => message.Coverage.Scanners[0].Name = "" },
        { "a name of 101 characters", message => message.Coverage.Scanners[0].Name = new string('n', 101) },
        { "unknown kind 0", message => message.Coverage.Scanners[0].Kind = V1.Kind.Unspecified },
        { "unknown kind 99", message => message.Coverage.Gaps[0].Kind = (V1.Kind)99 },
        { "loss window is absent", message => message.Coverage.LossWindows[0].From = null },
        { "loss window is not a time", message => message.Coverage.LossWindows[0].To = new Timestamp { Seconds = long.MaxValue } },
        { "observed_at is absent", message => message.ObservedAt = null },
        { "observed_at is not a time", message => message.ObservedAt = new Timestamp { Nanos = -1 } },
        { "node format 2", message => message.NodeFormat = 2 },
    };

    [Fact]
    public void Head_ThroughItsMessage_ComesBack()
    {
        var bytes = Head.ToMessage().ToByteArray();

        Assert.Equal(Head, V1.Manifest.Parser.ParseFrom(bytes).ToModel());
    }

    [Theory, MemberData(nameof(Wrong))]
    public void Head_OfABadMessage_IsRefusedWithTheReason(string reason, Action<V1.Manifest> spoil)
    {
        var message = Head.ToMessage();
        spoil(message);

        var refusal = Assert.Throws<BadMessageException>(() => message.ToModel());

        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Coverage_WithAScopeToldBefore_FindsItByItsDigest()
    {
        var message = Head.Coverage.ToMessage(withScope: false);

        Assert.Null(message.Scope);
        Assert.Equal(Head.Coverage, message.ToModel(digest => digest == Head.Coverage.Scope.Digest ? Head.Coverage.Scope : null));
    }

    [Fact]
    public void Reason_ThatIsTooLong_IsCutBetweenCharacters()
    {
        var message = Head.ToMessage();
        message.Source = new string('s', 299) + "\U0001f600 and more";

        var source = message.ToModel().Source;

        Assert.Equal(new string('s', 299), source);
        Assert.Equal(300, (Head with { Source = new string('s', 400) }).ToMessage().ToModel().Source.Length);
    }

    [Fact]
    public void Roots_OfEveryKind_ComeBackInTheirPlace()
    {
        var roots = EntryKinds.All.Aggregate(Roots.Empty, (roots, kind) => roots.With(kind, Digest.Of([(byte)kind])));

        Assert.Equal(roots, roots.ToMessage().ToModel());
        Assert.All(EntryKinds.All, kind => Assert.Equal(Digest.Of([(byte)kind]), roots[kind]));
        Assert.All(EntryKinds.All, kind => Assert.Equal(kind, kind.ToMessage().ToModel()));
    }

    private static DateTimeOffset Time(int seconds) => new DateTimeOffset(2026, 3, 3, 12, 0, 0, TimeSpan.Zero).AddSeconds(seconds).AddTicks(7);
}
