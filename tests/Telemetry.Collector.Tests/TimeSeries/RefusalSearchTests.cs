using System.Globalization;
using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class RefusalSearchTests
{
    private const int Fleet = 150;
    private const int LinesOfOne = 60;

    private readonly HashSet<string> _taken = [];
    private long _requests, _sent;

    /// <summary>As when a new version of the agent, on all instances, has another type for a field.</summary>
    [Fact]
    public void FieldOfAnotherType_InEveryBatch_IsFoundByTheServersWords()
    {
        var parcel = Parcel(Fleet, (owner, i) => i == owner % LinesOfOne ? "c\\ pu,k=v x y=true,x=\"t\"" : Good(i));

        var refused = Search(parcel, lines => Influx1(lines, line => line.Contains("x=\"t\"", StringComparison.Ordinal)));

        IsExact(parcel, refused, line => line.StartsWith("c\\ pu", StringComparison.Ordinal));
        Assert.Equal(3, _requests);
        Assert.Equal(Fleet, Assert.Single(refused).Parcel.LineCount);
    }

    /// <summary>In 1.x each shard has types of its own: lines that look alike need not be.</summary>
    [Fact]
    public void FieldOfAnotherType_ThatIsOneInAnotherShardOnly_IsRefusedThereOnly()
    {
        var parcel = Parcel(20, (owner, i) => i == 7 ? $"cpu,shard={owner % 2} x=1" : Good(i));

        var refused = Search(parcel, lines => Influx1(lines, line => line.StartsWith("cpu,shard=1", StringComparison.Ordinal), field: "x", measurement: "cpu", type: "float"));

        IsExact(parcel, refused, line => line.StartsWith("cpu,shard=1", StringComparison.Ordinal));
    }

    [Fact]
    public void LinesThatNothingTellsOf_OneOfEachInstance_CostNoGoodLine()
    {
        var parcel = Parcel(Fleet, (owner, i) => i == owner % LinesOfOne ? "poison x=1" : Good(i));

        var refused = Search(parcel, All);

        IsExact(parcel, refused, IsPoison);
        Assert.InRange(_requests, Fleet, 15 * Fleet);
    }

    [Fact]
    public void InstanceThatSendsNonsenseOnly_AmongOthers_CostsThemNoLineAndLittleTime()
    {
        // One line a batch, and every other of one instance, which is bad: the worst there is.
        var parcel = new PointParcel([.. Enumerable.Range(0, 4_000).Select(i => Batch(i % 2 == 0 ? "hostile" : $"i-{i % 50}", i % 2 == 0 && i % 6 != 0 ? $"poison n={i} 1\n" : $"load n={i} 1\n"))]);

        var refused = Search(parcel, All);

        var good = LinesOf(parcel, batch => batch.Owner!.InstanceId != "hostile");
        Assert.Equal(2_000, good.Count);
        Assert.Subset(_taken, good.ToHashSet());
        Assert.All(refused.SelectMany(one => one.Parcel.Batches), batch => Assert.Equal("hostile", batch.Owner!.InstanceId));
        Assert.Equal(4_000, _taken.Count + refused.Sum(one => one.Parcel.LineCount));
        Assert.InRange(_requests, 1, 300);
    }

    /// <summary>Some servers write nothing, and name one line an answer.</summary>
    [Fact]
    public void LinesNamedOneAtATime_AreTakenOutWithoutSendingTheRestForEach()
    {
        var parcel = Parcel(Fleet, (_, i) => i % 20 == 3 ? "poison x=1" : Good(i));

        var refused = Search(parcel, lines =>
        {
            var place = lines.FindIndex(IsPoison);
            return place < 0 ? Taken(lines) : (400, $$"""{"code":"invalid","message":"poison","line":{{place + 1}}}""");
        });

        IsExact(parcel, refused, IsPoison);
        Assert.InRange(_requests, 450, 1_000);
        Assert.InRange(_sent, 1, 20 * parcel.LineCount);
    }

    [Fact]
    public void LinesNamedAllAtOnce_CostOneMoreRequest()
    {
        var parcel = Parcel(Fleet, (_, i) => i == 3 ? "poison x=1" : Good(i));

        var refused = Search(parcel, lines => lines.Exists(IsPoison)
            ? (400, $$"""{"error":"partial write","data":[{{string.Join(',', lines.Index().Where(line => IsPoison(line.Item)).Select(line => $$"""{"line_number":{{line.Index + 1}},"error_message":"no"}"""))}}]}""")
            : Taken(lines));

        IsExact(parcel, refused, IsPoison);
        Assert.Equal(2, _requests);
    }

    [Fact]
    public void ServerThatRefusesEverything_IsAskedABoundedNumberOfTimes()
    {
        var parcel = Parcel(1_000, (_, i) => Good(i));

        var refused = Search(parcel, lines => (400, """{"error":"no"}"""));

        Assert.Equal(parcel.LineCount, refused.Sum(one => one.Parcel.LineCount));
        Assert.InRange(_requests, 1, 5_001);
    }

    [Fact]
    public void Parcel_ThatIsTooBig_IsSentInPiecesAndALineThatIsItselfSetAside()
    {
        var parcel = Parcel(4, (owner, i) => owner == 2 && i == 5 ? $"long x=\"{new string('x', 2_000)}\"" : Good(i));

        var refused = Search(parcel, lines => lines.Sum(line => line.Length) > 1_500 ? (413, "") : Taken(lines));

        IsExact(parcel, refused, line => line.StartsWith("long", StringComparison.Ordinal));
        Assert.Equal(RejectionReason.TooBig, Assert.Single(refused).Reason);
    }

    private (int Status, string Body) All(List<string> lines) => lines.Exists(IsPoison) ? (400, """{"error":"something is wrong"}""") : Taken(lines);

    /// <summary>Writes the good ones, and tells of one of the others.</summary>
    private (int Status, string Body) Influx1(List<string> lines, Predicate<string> isBad, string field = "x", string measurement = "c pu", string type = "string")
    {
        var bad = lines.RemoveAll(isBad);
        return Taken(lines) is var taken && bad == 0
            ? taken
            : (400, $$"""{"error":"partial write: field type conflict: input field \"{{field}}\" on measurement \"{{measurement}}\" is type {{type}}, already exists as type integer dropped={{bad}}"}""");
    }

    private (int Status, string Body) Taken(List<string> lines)
    {
        _taken.UnionWith(lines);
        return (204, "");
    }

    private IReadOnlyList<RefusedParcel> Search(PointParcel parcel, Func<List<string>, (int Status, string Body)> server)
    {
        var search = new RefusalSearch(parcel);
        while (search.Next is { } next)
        {
            _requests++;
            _sent += next.LineCount;
            var (status, body) = server(LinesOf(next, _ => true));
            search.Take(AnswerTable.Decide(new InfluxAnswer(status, body), next.LineCount));
        }

        return search.Refused;
    }

    /// <summary>Every good line is there, and every bad one refused, once.</summary>
    private void IsExact(PointParcel parcel, IReadOnlyList<RefusedParcel> refused, Predicate<string> isBad)
    {
        var (bad, good) = (LinesOf(parcel, _ => true).FindAll(isBad), LinesOf(parcel, _ => true).FindAll(line => !isBad(line)));
        Assert.Equal(good.Order(), _taken.Order());
        Assert.Equal(bad.Order(), refused.SelectMany(one => LinesOf(one.Parcel, _ => true)).Order());
    }

    private static bool IsPoison(string line) => line.StartsWith("poison", StringComparison.Ordinal);

    private static string Good(int i) => string.Create(CultureInfo.InvariantCulture, $"load,n={i} x={i}i");

    /// <summary>Of each instance one batch; no two lines are alike.</summary>
    private static PointParcel Parcel(int owners, Func<int, int, string> line) => new(
    [
        .. Enumerable.Range(0, owners).Select(owner => Batch(
            string.Create(CultureInfo.InvariantCulture, $"i-{owner}"),
            [.. Enumerable.Range(0, LinesOfOne).Select(i => string.Create(CultureInfo.InvariantCulture, $"{line(owner, i)} {(owner * LinesOfOne) + i}\n"))])),
    ]);

    private static StoredPoints Batch(string owner, params string[] lines) =>
        new(1, Encoding.UTF8.GetBytes(string.Concat(lines)), lines.Length, new PointOwner(owner, Some.Time, 1));

    private static List<string> LinesOf(PointParcel parcel, Predicate<StoredPoints> isWanted) =>
        [.. parcel.Batches.Where(batch => isWanted(batch)).SelectMany(batch => Encoding.UTF8.GetString(batch.Lines.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))];
}
