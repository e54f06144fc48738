using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Facts of this machine on their way to a person. Others open sockets meanwhile: only what the test opened is looked for.</summary>
public sealed class FactTests : IAsyncDisposable
{
    private const string Perl = "/usr/bin/perl";
    private const string Listen =
        "use IO::Socket::INET; $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1:0') or die $!; $| = 1; print $s->sockport, \"\\n\"; sleep 1000";

    private readonly Installation _installation = new(facts: "[\"socket\", \"kernel\"]");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task ListeningSocket_OfARealProgram_IsADeviationUntilItIsClosed()
    {
        await _installation.StartCertified();

        await using var program = RunningProgram.Start(Perl, ["-e", Listen]);
        await Eventually.True(() => program.Log.EndsWith('\n'), "the program to listen", Cancellation, () => program.Log);
        var key = $"system:socket/tcp/127.0.0.1/{program.Log.Trim()}";

        // Whose it is may be found out a look later.
        var deviation = default(JsonElement?);
        await Eventually.True(
            async () => (deviation = await Find(key))?.GetProperty("actual").GetProperty("value").GetString() == $"{Perl} {Environment.UserName}",
            key, Cancellation, () => deviation + Logs());
        Assert.Equal("added", deviation!.Value.GetProperty("change").GetString());

        await program.Stop();
        await Eventually.Get(async () => await Find(key) is null ? "closed" : null, $"the end of {key}", Cancellation, Logs);
    }

    [Fact]
    public async Task Scan_OfAnImage_HasItsUnitsAndNoFactOfThisMachine()
    {
        Directory.CreateDirectory(_installation["image/etc/systemd/system/x.target.wants"]);
        File.CreateSymbolicLink(_installation["image/etc/systemd/system/x.target.wants/x.service"], "/lib/x.service");
        await Finished.Succeed(Programs.Agent, "scan", "--root", _installation["image"], "--out", _installation["m"]);

        var shown = await Finished.Succeed(Programs.Agent, "show", _installation["m"], "--kind", "system", "--output", "json");

        Assert.Equal("system:unit/x.service", JsonDocument.Parse(Assert.Single(shown.Lines)).RootElement.GetProperty("key").GetString());
    }

    private async Task<JsonElement?> Find(string key)
    {
        foreach (var deviation in (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray())
        {
            if (deviation.GetProperty("key").GetString() == key)
                return deviation;
        }

        return null;
    }

    private string Logs() => _installation.Agent.Log;
}
