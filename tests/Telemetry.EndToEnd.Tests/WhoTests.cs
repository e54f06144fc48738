using System.Globalization;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Who changed what: of real processes, most of which live for some milliseconds only.</summary>
public sealed class WhoTests : IAsyncDisposable
{
    private const int Edits = 1000;
    private const string User = "games";

    private readonly Installation _installation = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    /// <summary>
    /// A user through su, a child of something like cron, a shell that ends at once, and a shell that becomes another program at
    /// once: the program that is named is the one that wrote, or is said to be uncertain, or unknown.
    /// </summary>
    [Fact]
    public async Task ShortLivedProcesses_NeverMeetAWrongUserAndNeverACertainWrongProgram()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        Shell.Run(_installation.Watched, "chmod 755 .. ; chmod 777 .");
        await _installation.StartCertified();
        var user = uint.Parse(Shell.Run("/", $"id -u {User}").Trim(), CultureInfo.InvariantCulture);

        Shell.Run(_installation.Watched, $$"""
            for i in $(seq {{Edits / 4}}); do
              su -s /bin/sh {{User}} -c "echo $i > su-$i"
              setsid sh -c "echo $i > cron-$i"
              sh -c "echo $i > shell-$i"
              bash -c "echo $i > exec-$i; exec sleep 0.02"
            done
            """);

        var open = await Eventually.Get(
            async () =>
            {
                var found = (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray().Where(deviation => deviation.GetProperty("key").GetString() != "/").ToList();
                return found.Count == Edits && found.All(deviation => deviation.GetProperty("actor").ValueKind != JsonValueKind.Null) ? found : null;
            },
            $"{Edits} deviations, each with an actor",
            Cancellation,
            () => _installation.Agent.Log);
        var (known, certain) = (0, new Dictionary<string, int>());
        foreach (var deviation in open)
        {
            var name = Path.GetFileName(deviation.GetProperty("key").GetString()!);
            var actor = deviation.GetProperty("actor");
            if (actor.GetProperty("uid").ValueKind == JsonValueKind.Null)
                continue;

            known++;
            Assert.Equal(name.StartsWith("su-", StringComparison.Ordinal) ? user : 0, actor.GetProperty("uid").GetUInt32());
            if (!actor.GetProperty("certain").GetBoolean())
                continue;

            var kind = name.Split('-')[0];
            certain[kind] = certain.GetValueOrDefault(kind) + 1;
            var wrote = name.StartsWith("exec-", StringComparison.Ordinal) ? "bash" : "dash";
            Assert.True(actor.GetProperty("exe").GetString()!.EndsWith('/' + wrote, StringComparison.Ordinal), $"{name} by {actor}");
        }

        TestContext.Current.SendDiagnosticMessage($"of {Edits} edits {known} have a user, and a certain program: {string.Join(", ", certain)}");
        Assert.True(known > Edits / 10, $"only {known} users are known");
    }

    /// <summary>A new policy has everything looked at, which sees some of the edits before the kernel's words of them are read.</summary>
    [Fact]
    public async Task EditsWhileEverythingIsLookedAt_HaveTheirActor()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        var watched = _installation.Watched;
        Shell.Run(watched, "mkdir many ; cd many ; seq 5000 | xargs touch");
        await _installation.StartCertified();

        var edits = 0;
        for (var version = 0; version < 5; version++)
        {
            var policy = Path.Combine(Path.GetDirectoryName(watched)!, "policy.toml");
            await File.WriteAllTextAsync(policy, $"name = \"default\"\nexclude = [\"{watched}/none-{version}\"]", Cancellation);
            var set = _installation.Succeed("policies", "set", policy);
            for (var left = 100; left > 0; left -= set.IsCompleted ? 1 : 0)
            {
                File.WriteAllText($"{watched}/edit-{++edits}", "");
                await Task.Delay(2, Cancellation);
            }

            await set;
        }

        await Eventually.Get(
            async () => (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray()
                .Count(deviation => deviation.GetProperty("key").GetString()!.Contains("/edit-", StringComparison.Ordinal) && deviation.GetProperty("actor").ValueKind != JsonValueKind.Null) == edits
                ? "all"
                : null,
            $"{edits} deviations with an actor",
            Cancellation,
            () => _installation.Agent.Log);
    }
}
