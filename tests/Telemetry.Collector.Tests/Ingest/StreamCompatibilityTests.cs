using Telemetry.Collector.Ingest;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Agents live for years in old images: what each release sent is understood by every later collector.</summary>
public sealed class StreamCompatibilityTests : IDisposable
{
    private readonly Collector _collector = new();

    public static TheoryData<string> Releases => [.. RecordedStreams.Releases];

    public void Dispose() => _collector.Dispose();

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Stream_OfARelease_EndsInTheStateThatItsAgentSaw(string release)
    {
        var sessions = RecordedStreams.Of(release);
        var health = new PointQueue(_collector.Store, Collector.StoreOptions, TimeProvider.System);

        var answers = new List<V1.ConnectResponse>();
        foreach (var session in sessions)
        {
            var stream = _collector.NewStream(health);
            answers.Add(stream.Welcome(session[0].Hello));
            foreach (var message in session.Skip(1))
                answers.AddRange(stream.Receive(message));

            // They come when they are stored.
            await Eventually.True(() => HasAllSamples(stream, session), "the acks of all samples", TestContext.Current.CancellationToken);
        }

        var last = sessions.SelectMany(session => session).Last(message => message.Head is not null).Head;
        var sample = sessions.SelectMany(session => session).Last(message => message.Health is not null).Health;
        var stored = _collector.Store.Read(transaction => transaction.Heads.Newest(sessions[0][0].Hello.InstanceId))!;
        Assert.Equal(last.Roots.ToModel(), stored.Roots);
        Assert.Contains(answers, answer => answer.Ack is { Lane: V1.Lane.State } ack && ack.Sequence == last.Sequence);
        Assert.Contains(answers, answer => answer.Ack is { Lane: V1.Lane.Health } ack && ack.Sequence == sample.Sequence);
        Assert.InRange(_collector.Store.Read(transaction => TreeReader.Entries(transaction.Nodes, stored.Roots.File).Count()), 300, 400);
        Assert.Contains(sessions.SelectMany(session => session), message => message.Changes is not null);

        bool HasAllSamples(AgentStream stream, IReadOnlyList<V1.ConnectRequest> session)
        {
            answers.AddRange(stream.Pending());
            return session.LastOrDefault(message => message.Health is not null)?.Health is not { } sent
                || answers.Exists(answer => answer.Ack is { Lane: V1.Lane.Health } ack && ack.Sequence >= sent.Sequence);
        }
    }
}
