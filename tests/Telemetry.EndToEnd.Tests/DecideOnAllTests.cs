using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Who decides about all of an instance takes nothing from whoever decided on some of it before, and is told so.</summary>
public sealed class DecideOnAllTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Approval_OfAnInstance_LeavesWhatIsWaivedToItsId()
    {
        var instance = await _installation.StartCertified();
        File.WriteAllText(Watched + "/waived", "");
        File.WriteAllText(Watched + "/other", "");
        var open = await _installation.Open($"added {Watched}/waived", $"added {Watched}/other");
        var waived = open.Single(deviation => deviation.GetProperty("key").GetString() == $"{Watched}/waived").GetProperty("id").GetString()!;
        await _installation.Succeed("deviations", "waive", waived, "--until", "2036-01-01", "--reason", "never approve this");

        // :: It says what it left out, and how that is taken
        var approved = await Approve("--instance", instance, "--into", "fix:1");
        Assert.Equal(0, approved.ExitCode);
        var told = approved.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains($"{Watched}/waived  {instance}  waived until 2036-01-01 00:00:00Z by admin: never approve this", told[0], StringComparison.Ordinal);
        Assert.Equal("Left out in all: 1 on which, or on a part of whose file, somebody decided before. Decide on them by their ids.", told[1]);
        var answer = System.Text.Json.JsonDocument.Parse(approved.Output).RootElement;
        Assert.Equal((1, 1), (answer.GetProperty("deviations").GetInt32(), answer.GetProperty("left_out_count").GetInt32()));
        Assert.Equal("waived", (await _installation.Succeed("deviations", "show", waived)).GetProperty("state").GetString());

        // :: Nothing but that is left: refused, and it names it
        var refused = await Approve("--instance", instance, "--into", "fix:2");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(waived, refused.Error, StringComparison.Ordinal);

        // :: By its id it is approved
        Assert.Equal((0, ""), await Approve(waived, "--into", "fix:2") is var named ? (named.ExitCode, named.Error) : default);
        Assert.Equal("approved", (await _installation.Succeed("deviations", "show", waived)).GetProperty("state").GetString());
    }

    private Task<Finished> Approve(params string[] arguments) => _installation.Ctl(["deviations", "approve", .. arguments, "--reason", "nightly"]);
}
