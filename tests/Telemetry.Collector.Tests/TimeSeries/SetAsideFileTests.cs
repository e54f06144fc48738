using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class SetAsideFileTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_SetAside_StandBelowWhyAndWhose()
    {
        var file = new SetAsideFile(_folder.Path, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Some.Time));

        file.Add([Refused("m x=1 7\nm x=2 8\n", "no\ngood\x1b", new PointOwner("i-1", Some.Time, 1)), Refused("n x=1 7\n", "neither", null)]);

        Assert.Equal(
            "# 2026-03-03T10:00:00Z 2 of i-1: no good \nm x=1 7\nm x=2 8\n# 2026-03-03T10:00:00Z 1 of the collector: neither\nn x=1 7\n",
            File.ReadAllText(file.FilePath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file.FilePath));
    }

    [Fact]
    public void Parcel_OfSeveralInstances_NamesEachWithItsOwnLines()
    {
        var file = new SetAsideFile(_folder.Path, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Some.Time));
        StoredPoints[] batches = [Batch("a x=1 7\n", "i-1"), Batch("b x=1 7\nb x=2 8\n", "i-2"), Batch("c x=1 7\n", null), Batch("d x=1 7\n", "i-1")];

        file.Add([new RefusedParcel(new PointParcel(batches), RejectionReason.RefusedByServer, "no")]);

        Assert.Equal(
            """
            # 2026-03-03T10:00:00Z 2 of i-1: no
            a x=1 7
            d x=1 7
            # 2026-03-03T10:00:00Z 2 of i-2: no
            b x=1 7
            b x=2 8
            # 2026-03-03T10:00:00Z 1 of the collector: no
            c x=1 7

            """,
            File.ReadAllText(file.FilePath));

        static StoredPoints Batch(string lines, string? owner) => new(
            1, Encoding.UTF8.GetBytes(lines), lines.Count(letter => letter == '\n'), owner is null ? null : new PointOwner(owner, Some.Time, 1));
    }

    [Fact]
    public void File_ThatIsFull_IsBoundedAndKeepsTheNewest()
    {
        var file = new SetAsideFile(_folder.Path, TimeProvider.System, most: 1_000);

        for (var i = 0; i < 100; i++)
            file.Add([Refused($"m{i} x=1 7\n", "no", null)]);

        Assert.InRange(Directory.GetFiles(_folder.Path).Sum(path => new FileInfo(path).Length), 1, 2_200);
        Assert.Contains("m99 ", File.ReadAllText(file.FilePath), StringComparison.Ordinal);
    }

    [Fact]
    public void File_ThatIsFullWithinOneParcel_IsBoundedToo()
    {
        var file = new SetAsideFile(_folder.Path, TimeProvider.System, most: 1_000);

        file.Add([.. Enumerable.Range(0, 100).Select(i => Refused($"m{i} x=1 7\n", "no", null))]);

        Assert.InRange(Directory.GetFiles(_folder.Path).Sum(path => new FileInfo(path).Length), 1_000, 2_200);
        Assert.Contains("m99 ", File.ReadAllText(file.FilePath), StringComparison.Ordinal);
    }

    [Fact]
    public void Disk_ThatFails_IsSaidSoThatTheyAreKept()
    {
        var file = new SetAsideFile(Path.Combine(_folder.Path, "missing"), TimeProvider.System);

        Assert.Throws<StoreException>(() => file.Add([Refused("m x=1 7\n", "no", null)]));
    }

    private static RefusedParcel Refused(string lines, string words, PointOwner? owner) => new(
        new PointParcel([new StoredPoints(1, Encoding.UTF8.GetBytes(lines), lines.Count(letter => letter == '\n'), owner)]), RejectionReason.RefusedByServer, words);
}
