using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What is included is moved, or a folder on the way to it: seen at once, and it blinds the agent to nothing else.</summary>
public sealed class MovedIncludeTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Theory]
    [InlineData("mv p/t p/gone; echo 2 > q/u/f", "removed /p/t", "removed /p/t/f", "changed /q/u/f")]
    [InlineData("mv q/u elsewhere; echo 2 > p/t/f; rm p/one", "removed /q/u", "removed /q/u/f", "changed /p/t/f", "removed /p/one")]
    [InlineData("mv p elsewhere; echo 2 > q/u/f", "removed /p/t", "removed /p/t/f", "removed /p/one", "changed /q/u/f")]
    [InlineData("mv p elsewhere; mkdir -p p/t; echo 2 > p/t/f", "changed /p/t/f", "removed /p/one")]
    [InlineData("mv p elsewhere; echo 2 > elsewhere/t/f; mv elsewhere p", "changed /p/t/f")]
    public async Task Move_OfWhatIsIncludedOrLeadsToIt_IsSeenAtOnceAndSoIsWhatFollows(string change, params string[] expected)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(_installation.Watched, "mkdir -p p/t q/u; echo 1 | tee p/t/f p/one q/u/f");
        await _installation.StartCollector();
        await _installation.StartAgentOn(_installation.Watched, "/p/t\", \"/p/one\", \"/q/u");
        await _installation.Certify();

        Shell.Run(_installation.Watched, change);

        await _installation.Open(expected);
    }
}
