using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Fleet;

/// <summary>Deviations and their events go with the history they belong to, and nobody misses one without being told.</summary>
public sealed class ForgottenDeviationsTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;
    private readonly Route _route = new("ops");

    public ForgottenDeviationsTests() => _instance = new CertifiedInstance(_collector);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Forget_WhatClosedBeforeTheBoundary_LeavesWhatIsOpenAndWhatClosedSince()
    {
        _instance.Tree["/srv/2/2"] = Some.File("stays open");
        Episode();
        Age();
        Episode();

        Forget();

        Assert.Equal(["/srv/2/2", CertifiedInstance.File], _collector.Deviations().Select(deviation => $"/{deviation.Key}"));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Closed], _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Forget_TheNewest_KeepsItSoThatNoIdIsGivenAgain()
    {
        Episode();
        Episode();
        var (deviation, position) = (_collector.Deviations()[^1].Id, _collector.Feed.Last());
        Age();

        Forget();
        Forget();
        Episode();

        Assert.Equal([deviation, deviation + 1], _collector.Deviations().Select(one => one.Id));
        Assert.Equal([position, position + 1, position + 2], _collector.Events().Select(stored => stored.Position));
    }

    [Fact]
    public void Forget_MoreThanGoesAtATime_ForgetsAll()
    {
        const int Many = 1_200;
        _collector.Alter(
            $"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Many})
            INSERT INTO deviations (instance_id, kind, key, severity, state, baseline_id, opened_at, closed_at, observed_before, transitions, layer, owner)
                 SELECT 'i-1', 1, CAST('/f' || i AS BLOB), 1, 5, 1, 0, 1, 0, 2, '', '' FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Many})
            INSERT INTO events (deviation_id, number, transition, at, body) SELECT i, 1, 1, 1, x'' FROM n;
            """);
        Episode();

        Forget();

        Assert.Equal((1, 2), (_collector.Deviations().Count, _collector.Events().Count));
    }

    [Fact]
    public void Events_ThatARouteHasNotDelivered_AreKeptForIt()
    {
        Episode();
        Delivered(1);
        Age();
        Episode();

        Forget(_route);
        Assert.Equal([2, 3, 4], _collector.Events().Select(stored => stored.Position));

        Delivered(3);
        Forget(_route);
        Assert.Equal([3, 4], _collector.Events().Select(stored => stored.Position));
    }

    [Fact]
    public void Follower_FromBeforeWhatIsForgotten_IsRefusedAndFromBehindItIsNot()
    {
        Episode();
        Age();
        Episode();
        Assert.Equal(4, _collector.Feed.After(0).Count);

        Forget();

        Assert.All((long[])[0, 1], position => Assert.Throws<ForgottenEventsException>(() => _collector.Feed.After(position)));
        Assert.Equal([3, 4], _collector.Feed.After(2).Select(stored => stored.Position));
    }

    [Fact]
    public async Task Route_ThatWasNotConfiguredForLong_IsToldWhatIsKeptAndHoldsUpNothing()
    {
        Episode();
        Delivered(0);
        Age();
        Episode();
        Forget();

        using var delivery = new RouteDelivery([_route], _collector.Store, _collector.Feed, _collector.Time, NullLogger<RouteDelivery>.Instance);
        await delivery.StartAsync(Cancellation);

        Assert.Equal(3, await _route.Told.Reader.ReadAsync(Cancellation));
        Assert.Equal(4, await _route.Told.Reader.ReadAsync(Cancellation));
        await delivery.StopAsync(Cancellation);
    }

    private void Episode()
    {
        _instance.Tamper();
        _instance.Heal();
    }

    private void Age() => _collector.Time.Advance(Collector.StoreOptions.History + TimeSpan.FromHours(1));

    private void Delivered(long position) => _collector.Store.Write(transaction => transaction.Events.SetDelivered(_route.Name, position));

    private void Forget(params IAlertRoute[] routes) =>
        new HistoryRetention(_collector.Store, routes, Collector.StoreOptions, _collector.Time, NullLogger<HistoryRetention>.Instance).Forget(Cancellation);

    private sealed class Route(string name) : IAlertRoute
    {
        public Channel<long> Told { get; } = Channel.CreateUnbounded<long>();

        public string Name => name;

        public async Task SendAsync(StoredEvent stored, CancellationToken cancellation) => await Told.Writer.WriteAsync(stored.Position, cancellation);

        public Task SendAsync(Notice notice, CancellationToken cancellation) => Task.CompletedTask;
    }
}
