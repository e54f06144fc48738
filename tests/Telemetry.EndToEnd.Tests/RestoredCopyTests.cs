using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The collector's database is put back to an older copy: everybody finds out what is, and nothing new looks like something old.</summary>
public sealed class RestoredCopyTests : IAsyncDisposable
{
    private readonly WebhookReceiver _receiver = new();
    private readonly Installation _installation;

    public RestoredCopyTests() =>
        _installation = new Installation(collectorSettings: $"""
            [[routes]]
            name = "ops"
            kind = "webhook"
            url = "{_receiver.Url}"
            """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Watched => _installation.Watched;

    private string Data => _installation["collector"];

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        _receiver.Dispose();
    }

    [Theory]
    [InlineData("database")]
    [InlineData("directory")]   // with the file that knows better: then it is the agent that does
    public async Task Copy_PutBack_IsCaughtUpAndGivesNoNumberAgain(string what)
    {
        foreach (var file in (string[])["a", "b", "c", "d"])
            File.WriteAllText($"{Watched}/{file}", "certified");
        await _installation.StartCollector();
        await _installation.StartAgentOn(Watched, "/");
        var id = await _installation.Certify();
        _installation.Put($"{Watched}/a", "changed");
        var first = IdOf((await _installation.Open("changed /a")).Single());
        await Received($"{first}.1");

        await Stop();
        Shell.Run("/", $"mkdir '{_installation["copy"]}'; cp -a {Copied(what)} '{_installation["copy"]}'");
        await _installation.StartCollector();

        // A time of which the copy knows nothing.
        _installation.Put($"{Watched}/b", "changed");
        var forgotten = (await _installation.Open("changed /a", "changed /b")).Select(IdOf).Where(one => one != first).Single();
        await Received($"{forgotten}.1");
        var cursor = await Cursor(forgotten);
        await Stop();
        Shell.Run("/", $"rm {Copied(what)}; cp -a '{_installation["copy"]}'/* '{Data}'");
        await _installation.StartCollector();

        // What it forgot is found again, and what is new as well: as something nobody has heard of.
        await _installation.Open("changed /a", "changed /b");
        _installation.Put($"{Watched}/c", "changed");
        _installation.Put($"{Watched}/b", "certified");
        var open = await _installation.Open("changed /a", "changed /c");
        var newest = open.Select(IdOf).Where(one => one != first).Single();
        Assert.Contains(open, deviation => IdOf(deviation) == first);
        Assert.NotEqual(forgotten, newest);
        await Received($"{newest}.1");
        Assert.Equal(1, _receiver.Ids.Count(one => one.StartsWith(forgotten + ".", StringComparison.Ordinal)));

        var watch = await _installation.Ctl("deviations", "watch", "--cursor", cursor);
        Assert.NotEqual(0, watch.ExitCode);
        Assert.Contains("older copy", watch.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await _installation.Succeed("instances", "show", id)).GetProperty("store_returns").GetInt64());
        Assert.Equal(FreshRoot(), (await _installation.Succeed("instances", "show", id)).GetProperty("head").GetProperty("roots").GetProperty("file").GetString());
    }

    private string Copied(string what) => what == "database" ? $"'{Data}'/state.db*" : $"'{Data}'/state.db* '{Data}/alive'";

    private async Task Stop() => Assert.Equal(0, await _installation.Collector.Stop());

    private Task Received(string eventId) => Eventually.True(() => _receiver.Ids.Contains(eventId), $"event {eventId}", Cancellation, () => string.Join(' ', _receiver.Ids));

    private async Task<string> Cursor(string deviation)
    {
        await using var watch = RunningProgram.Start(
            Programs.Ctl,
            ["deviations", "watch", "--server", _installation.Server, "--token-file", _installation.TokenFile, "--output", "json", "--cursor", "MA"]);
        return await Eventually.Get(
            () => Task.FromResult(watch.Log.Split('\n')
                .Where(line => line.StartsWith('{') && line.Contains($"\"{deviation}\"", StringComparison.Ordinal))
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("cursor").GetString())
                .FirstOrDefault()),
            "the event at the subscriber", Cancellation);
    }

    private string FreshRoot() => Shell
        .Run("/", $"'{Programs.Agent}' scan --root '{Watched}' --out '{_installation["fresh.manifest"]}' --no-packages --no-settings --no-system 2>&1")
        .Split(' ', '\n', '=', ',', ':')
        .First(word => word.Length == 64);

    private static string IdOf(JsonElement deviation) => deviation.GetProperty("id").GetString()!;
}
