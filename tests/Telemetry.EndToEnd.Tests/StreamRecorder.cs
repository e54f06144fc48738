using Google.Protobuf;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>
/// Records what the agent of this release sends, for the compatibility test of every later collector. Run by hand, once a release:
/// <c>Telemetry.EndToEnd.Tests -trait Category=Record</c>.
/// </summary>
public sealed class StreamRecorder : IAsyncDisposable
{
    private static readonly string Folder = Path.Combine(Programs.Repository, "tests/Telemetry.Collector.Tests/Ingest/Streams/1.0");

    private readonly Installation _installation = new(
        // Nothing listens there; but health is wanted.
        collectorSettings: """
            [timeseries]
            kind = "influxdb"
            url = "http://127.0.0.1:9/"
            """,
        agentSettings: """
            [health]
            interval = "1s"
            [instance]
            name = "recorded"
            [instance.tags]
            role = "recorded"
            """);

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    [Trait("Category", "Record")]
    public async Task Record()
    {
        var watched = _installation.Watched;
        Shell.Run(watched, "mkdir -p etc srv/{1..20}; echo '127.0.0.1 localhost' > etc/hosts; for i in $(seq 300); do echo $i > srv/$((i % 20 + 1))/$i; done; ln -s hosts etc/link");
        await _installation.StartCollector();
        await using var wire = new RecordingRelay(new Uri(_installation.AgentsServer).Port);
        var via = $"http://127.0.0.1:{wire.Port}";
        await _installation.StartAgentOn(watched, "/", via);
        await _installation.Certify();

        Shell.Run(watched, "echo '127.0.0.1 changed' >> etc/hosts; echo 1 > srv/1/new; rm srv/2/1; chmod 600 srv/3/2");
        await _installation.Open(
            "added /srv/1/new", "added setting:/etc/hosts#127.0.0.1/changed", @"added setting:/etc/hosts#\x23order", "changed /etc/hosts", "changed /srv/3/2", "removed /srv/2/1");
        await _installation.Agent.Stop();
        Shell.Run(watched, "rm -r srv/4; mv srv/5 srv/moved");
        await _installation.StartAgentOn(watched, "/", via);
        await Eventually.True(() => Sent(wire).Count == 2 && Sent(wire)[1].Count > 5, "the second session", TestContext.Current.CancellationToken);
        await _installation.Agent.Stop();

        Directory.CreateDirectory(Folder);
        var streams = Sent(wire);
        for (var i = 0; i < streams.Count; i++)
        {
            await using var file = File.Create(Path.Combine(Folder, $"{i + 1}.bin"));
            foreach (var message in streams[i])
                Impersonal(V1.ConnectRequest.Parser.ParseFrom(message)).WriteDelimitedTo(file);
        }
    }

    private static List<IReadOnlyList<byte[]>> Sent(RecordingRelay wire) => [.. wire.FromAgents.SelectMany(SentMessages.ByStream)];

    /// <summary>Without what tells of the machine it was recorded on.</summary>
    private static V1.ConnectRequest Impersonal(V1.ConnectRequest message)
    {
        if (message.Hello is { } hello)
            (hello.InstanceId, hello.Image, hello.BootId) = ("i-recorded", "", "");
        foreach (var actor in message.Changes?.Actors ?? [])
        {
            (actor.Executable, actor.ParentExecutable, actor.Unit) = ("/usr/bin/bash", "/usr/sbin/sshd", "session-1.scope");
            actor.CommandLine.Clear();
            actor.CommandLine.Add("bash");
        }

        return message;
    }
}
