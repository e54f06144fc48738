using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Scan;

public sealed class DirtyPathsTests : IDisposable
{
    private static readonly EntryKey A = EntryKey.Of("a"), AB = EntryKey.Of("a", "b"), C = EntryKey.Of("c");
    private static readonly DateTimeOffset Until = DateTimeOffset.UnixEpoch;

    private readonly FakeTimeProvider _clock = new();
    private readonly DirtyPaths _dirty;

    public DirtyPathsTests() => _dirty = new DirtyPaths(_clock);

    public void Dispose() => _dirty.Dispose();

    [Fact]
    public void Take_QuietPaths_AreThereAtOnceAndOnce()
    {
        _dirty.Add(C, isDeep: false, Until);
        _dirty.Add(A, isDeep: false, Until);

        Assert.Equal([new LookPart(A, false), new LookPart(C, false)], _dirty.Take().Parts);
        Assert.Empty(_dirty.Take().Parts);
    }

    [Fact]
    public void Take_APathThatIsBeingWritten_WaitsAndAnEndOfWritingDoesNot()
    {
        _dirty.Add(A, isDeep: false, Until, isSettling: true);
        _dirty.Add(C, isDeep: false, Until, isSettling: true);
        _dirty.Add(C, isDeep: false, Until);

        Assert.Equal(C, Assert.Single(_dirty.Take().Parts).Key);
        _clock.Advance(DirtyPaths.Settling);
        Assert.Equal(A, Assert.Single(_dirty.Take().Parts).Key);
    }

    [Fact]
    public void Take_APathThatIsWrittenAgainAndAgain_ComesOnceEachTimeItHasSettled()
    {
        _dirty.Add(A, isDeep: false, Until);
        Assert.Single(_dirty.Take().Parts);

        for (var i = 0; i < 5; i++)
        {
            _dirty.Add(A, isDeep: false, Until);
            Assert.Empty(_dirty.Take().Parts);
            _clock.Advance(DirtyPaths.Settling / 5);
        }

        Assert.Single(_dirty.Take().Parts);
    }

    [Fact]
    public void Take_WhatLiesBelowAMovedDirectory_IsNoPartAndKeepsItsOrigin()
    {
        var (mover, writer) = (Origin(), Origin());
        _dirty.Add(AB, isDeep: false, Until, origin: writer);
        _dirty.Add(A, isDeep: true, Until, origin: mover);

        var part = _dirty.Take();

        Assert.Equal([new LookPart(A, true)], part.Parts);
        Assert.Same(writer, part.OriginOf(EntryKind.File, AB.Bytes));
        Assert.Same(mover, part.OriginOf(EntryKind.File, EntryKey.Of("a", "x", "y").Bytes));
        Assert.Null(part.OriginOf(EntryKind.File, C.Bytes));
    }

    [Fact]
    public void OriginOf_ASetting_IsThatOfItsFile()
    {
        var editor = Origin();
        _dirty.Add(EntryKey.OfPath("/etc/hosts"), isDeep: false, Until, origin: editor);

        var part = _dirty.Take();

        Assert.Same(editor, part.OriginOf(EntryKind.Setting, EntryKey.Of("etc/hosts", "localhost").Bytes));
        Assert.Null(part.OriginOf(EntryKind.System, EntryKey.OfPath("/etc/hosts").Bytes));
    }

    [Fact]
    public void OriginOf_APackage_IsThatOfItsDatabase()
    {
        var dpkg = Origin();
        _dirty.Add(A, isDeep: false, Until, origin: Origin());
        _dirty.Add(EntryKey.OfPath("/var/lib/dpkg/status"), isDeep: false, Until, origin: dpkg);

        Assert.Same(dpkg, _dirty.Take().OriginOf(EntryKind.Package, EntryKey.Of("dpkg", "a", "all").Bytes));
    }

    [Fact]
    public void Add_TheSameAgain_KeepsTheEarliestTimeAndTheLastOrigin()
    {
        var last = Origin();
        _dirty.Add(A, isDeep: false, Until.AddSeconds(1), origin: Origin());
        _dirty.Add(A, isDeep: true, Until, origin: last);
        _dirty.Add(A, isDeep: false, Until.AddSeconds(2));

        var part = _dirty.Take();

        Assert.Equal(Until, part.UnchangedUntil);
        Assert.Same(last, part.OriginOf(EntryKind.File, A.Bytes));
        Assert.True(Assert.Single(part.Parts).IsDeep);
    }

    [Fact]
    public void AddEverything_IsALossUntilItIsTaken()
    {
        _dirty.Add(A, isDeep: false, Until);
        _dirty.AddEverything(Until.AddSeconds(5), reason: null);
        _dirty.AddEverything(Until.AddSeconds(3), "ran over");

        var taken = _dirty.Take();

        Assert.Empty(taken.Parts);
        Assert.Equal(new Loss(Until.AddSeconds(3), "ran over"), taken.Loss);
        Assert.Null(_dirty.Take().Loss);
    }

    [Fact]
    public void AddEverything_ThoughNothingWasMissed_LeavesWhoChangedWhatForTheLookAfterIt()
    {
        var writer = Origin();
        _dirty.Add(A, isDeep: false, Until, origin: writer);
        _dirty.AddEverything(Until, reason: null);

        var (everything, parts) = (_dirty.Take(), _dirty.Take());

        Assert.NotNull(everything.Loss);
        Assert.Empty(everything.Parts);
        Assert.Null(parts.Loss);
        Assert.Same(writer, parts.OriginOf(EntryKind.File, A.Bytes));
    }

    [Fact]
    public void Add_MoreThanCanBeToldApart_IsALoss()
    {
        for (var i = 0; i <= 200_000; i++)
            _dirty.Add(EntryKey.Of($"{i}"), isDeep: false, Until.AddSeconds(i));

        Assert.Equal(Until.AddSeconds(200_000), _dirty.Take().Loss?.Since);
    }

    [Fact]
    public void Take_ABurst_IsTakenInPieces()
    {
        for (var i = 0; i < 10_000; i++)
            _dirty.Add(EntryKey.Of($"{i}"), isDeep: false, Until);

        Assert.Equal([4096, 4096, 1808, 0], Enumerable.Range(0, 4).Select(_ => _dirty.Take().Parts.Count));
    }

    [Fact]
    public void PutBack_WhatWasTaken_ComesAgain()
    {
        var origin = Origin();
        _dirty.Add(A, isDeep: true, Until, origin: origin);

        _dirty.PutBack(_dirty.Take());
        _clock.Advance(DirtyPaths.Settling);

        var part = _dirty.Take();
        Assert.Equal([new LookPart(A, true)], part.Parts);
        Assert.Same(origin, part.OriginOf(EntryKind.File, A.Bytes));
    }

    [Fact]
    public void Postpone_ALargeFile_LeavesTheOthers()
    {
        _dirty.Postpone(A, TimeSpan.FromSeconds(10));
        _dirty.Add(A, isDeep: false, Until);
        _dirty.Add(C, isDeep: false, Until);

        Assert.Equal(C, Assert.Single(_dirty.Take().Parts).Key);
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(_dirty.Take().Parts);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(A, Assert.Single(_dirty.Take().Parts).Key);
    }

    [Fact]
    public async Task WaitAsync_EndsWhenSomethingIsMarked()
    {
        var waiting = _dirty.WaitAsync(TimeSpan.FromDays(1), TestContext.Current.CancellationToken);
        _dirty.Add(A, isDeep: false, Until);

        Assert.True(await waiting);
    }

    private static ChangeOrigin Origin() => new(DateTimeOffset.UnixEpoch, By: null);
}
