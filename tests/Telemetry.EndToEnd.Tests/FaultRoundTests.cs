using System.Globalization;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Whatever breaks while a tree changes: once it is whole again, the collector knows the tree as it is, and told everything once.</summary>
public sealed class FaultRoundTests : IAsyncLifetime
{
    private const int Rounds = 20;

    private static readonly string Mutate = Path.Combine(Programs.Repository, "tests/Telemetry.Agent.Tests/Scan/mutate.pl");

    private readonly WebhookReceiver _receiver = new();
    private readonly Influxd _influxd = new();
    private readonly Installation _installation;
    private readonly List<RunningProgram> _programs = [];
    private readonly List<JsonElement> _told = [];
    private FaultProxy _network = null!;

    public FaultRoundTests() =>
        _installation = new Installation(collectorSettings: $"""
            [[routes]]
            name = "ops"
            kind = "webhook"
            url = "{_receiver.Url}"

            [timeseries]
            kind = "influxdb"
            url = "{_influxd.Url}"
            """, agentSettings: """
            [health]
            interval = "1s"
            probes = ["cpu", "mem"]
            """)
        {
            // What truncate(2) changed is seen by no watch.
            AgentVia = ["/usr/bin/env", "TELEMETRY_AGENT__SCAN__RESCAN=2s"],
        };

    public static TheoryData<int> LongSeeds => [.. Enumerable.Range(100, 10)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Watched => _installation.Watched;

    /// <summary>Both keep their state on small filesystems of their own, which can be filled.</summary>
    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting and watching need root");
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        foreach (var state in (string[])["agent", "collector"])
            Shell.Run("/", $"mkdir '{_installation[state]}'; mount -t tmpfs -o mode=0700,size=128m tmpfs '{_installation[state]}'");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        if (_network is not null)
            await _network.DisposeAsync();
        if (_programs.Count > 0)
        {
            await _installation.Agent.Kill();
            await _installation.Collector.Kill();
            Shell.Run("/", $"umount '{_installation["agent"]}' '{_installation["collector"]}'");
        }

        await _installation.DisposeAsync();
        await _influxd.DisposeAsync();
        _receiver.Dispose();
    }

    [Fact]
    public Task Rounds_OfFaults_LoseNothingAndTellNothingTwice() => Run(seed: 1);

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(LongSeeds))]
    public Task Rounds_Long_LoseNothingAndTellNothingTwice(int seed) => Run(seed);

    private async Task Run(int seed)
    {
        var random = new Random(seed);
        Shell.Run(Watched, $"perl '{Mutate}' {seed} 300 .");
        await _influxd.Start();
        await StartCollector();
        _network = new FaultProxy(new Uri(_installation.AgentsServer).Port);
        await StartAgent();
        var id = await _installation.Certify();

        var faults = new Queue<Fault>();
        for (var round = 1; round <= Rounds; round++)
        {
            if (faults.Count == 0)
                faults = new Queue<Fault>(Shuffled(random));
            var fault = faults.Dequeue();
            try
            {
                await ChangeWhile(fault, random);
                await EndsAsTheTreeIs(id);
                await HasToldEverythingOnce();
                await AccountsForEveryPoint(id);
                Assert.All(_programs, program => Assert.DoesNotMatch("Unhandled exception|crit:|   at ", program.Log));
            }
            catch (Exception e) when (!Cancellation.IsCancellationRequested)
            {
                throw new InvalidOperationException(
                    $"Seed {seed}, round {round}, {fault}: {e.Message}\nAgent:\n{Tail(_installation.Agent)}\nCollector:\n{Tail(_installation.Collector)}", e);
            }
        }
    }

    /// <summary>A fault comes and goes at random moments while the tree changes.</summary>
    private async Task ChangeWhile(Fault fault, Random random)
    {
        var (seed, bursts) = (random.Next(), random.Next(3, 10));
        var writing = Task.Run(() => Shell.Run(Watched, $"for i in $(seq {bursts}); do perl '{Mutate}' $(({seed % 100_000} + i)) 10 .; sleep 0.1; done"), Cancellation);
        try
        {
            await Task.Delay(random.Next(500), Cancellation);
            await Break(fault);
            await Task.Delay(random.Next(1_500), Cancellation);
            await Mend(fault);
        }
        finally
        {
            await writing;
        }
    }

    private Task Break(Fault fault)
    {
        switch (fault)
        {
            case Fault.AgentKilled:
                return _installation.Agent.Kill();
            case Fault.CollectorKilled:
                return _installation.Collector.Kill();
            case Fault.InfluxdKilled:
                return _influxd.Kill();
            case Fault.NetworkCut:
                _network.Cut();
                break;
            case Fault.NetworkHalfClosed:
                _network.HalfClose();
                break;
            case Fault.NetworkStalled:
                _network.Stall();
                break;
            case Fault.NetworkSlow:
                _network.Delay(TimeSpan.FromMilliseconds(200));
                break;
            case Fault.AgentsDiskFull:
                Shell.Run(_installation["agent"], "cat /dev/zero > filling 2> /dev/null || true");
                break;
            case Fault.CollectorsDiskFull:
                Shell.Run(_installation["collector"], "cat /dev/zero > filling 2> /dev/null || true");
                break;
        }

        return Task.CompletedTask;
    }

    private Task Mend(Fault fault)
    {
        switch (fault)
        {
            case Fault.AgentKilled:
                return StartAgent();
            case Fault.CollectorKilled:
                return StartCollector();
            case Fault.InfluxdKilled:
                return _influxd.Start();
            case Fault.AgentsDiskFull:
                File.Delete(_installation["agent/filling"]);
                Assert.False(_installation.Agent.HasEnded, "the agent ended when its disk was full");
                break;
            case Fault.CollectorsDiskFull:
                File.Delete(_installation["collector/filling"]);
                Assert.False(_installation.Collector.HasEnded, "the collector ended when its disk was full");
                break;
            default:
                _network.Heal();
                break;
        }

        return Task.CompletedTask;
    }

    /// <summary>The head is that of a scan that knows nothing, and what is open is what differs from the certified state.</summary>
    private async Task EndsAsTheTreeIs(string id)
    {
        var scan = Shell.Run("/", $"'{Programs.Agent}' scan --root '{Watched}' --out '{_installation["fresh.manifest"]}' --no-packages --no-settings --no-system 2>&1");
        var fresh = scan.Split(' ', '\n', '=', ',', ':').First(word => word.Length == 64);
        await Eventually.Get(async () => await HeadRoot() == fresh ? "yes" : null, "the head of a fresh scan", Cancellation, () => OtherThanFresh(id));

        var differences = JsonDocument.Parse((await _installation.Ctl("diff", "shop:1", id)).Output).RootElement;
        var open = await _installation.Succeed("deviations", "list", "--state", "open");
        Assert.Equal(ChangesIn(differences), ChangesIn(open));
    }

    private string OtherThanFresh(string id)
    {
        _installation.Ctl("baselines", "import", "fresh:1", _installation["fresh.manifest"]).GetAwaiter().GetResult();
        return _installation.Ctl("diff", "fresh:1", id).GetAwaiter().GetResult().Output;
    }

    /// <summary>Each episode opened once and closed at most once, in that order, and the receiver has each of its events.</summary>
    private async Task HasToldEverythingOnce()
    {
        await using var watch = RunningProgram.Start(
            Programs.Ctl,
            ["deviations", "watch", "--server", _installation.Server, "--token-file", _installation.TokenFile, "--output", "json", "--cursor", Cursor()]);
        var open = (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray().Select(IdOf).ToHashSet();
        var episodes = await Eventually.Get(
            () =>
            {
                var told = _told.Concat(Lines(watch)).GroupBy(line => IdOf(line.GetProperty("deviation"))).ToDictionary(episode => episode.Key, episode => episode.ToList());
                var stillOpen = told.Where(episode => WordOf(episode.Value[^1]) != "closed").Select(episode => episode.Key);
                var ids = told.SelectMany(episode => Enumerable.Range(1, episode.Value.Count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{episode.Key}.{number}")));
                return Task.FromResult(open.SetEquals(stillOpen) && _receiver.Ids.ToHashSet().SetEquals(ids) ? told : null);
            },
            "the events of all episodes, at the subscriber and at the receiver",
            Cancellation,
            () => $"The receiver has {_receiver.Ids.Count}, the subscriber {_told.Count + Lines(watch).Count()}.");
        _told.AddRange(Lines(watch));

        Assert.All(episodes.Values, episode =>
        {
            Assert.Equal("opened", WordOf(episode[0]));
            Assert.DoesNotContain("opened", episode.Skip(1).Select(WordOf));
            Assert.DoesNotContain("closed", episode.SkipLast(1).Select(WordOf));
        });
    }

    /// <summary>
    /// What the agent says it collected is what became of it and what is on the way; and what the collector says it stored is what the
    /// server has, by its own count.
    /// </summary>
    private async Task AccountsForEveryPoint(string id)
    {
        var seen = "";
        await Eventually.Get(
            async () =>
            {
                var accounts = (await _installation.Succeed("reports", "coverage", "--instance", id)).EnumerateArray().ToList();
                var (stored, waiting) = (Sum("stored"), Sum("waiting"));
                var (cpu, mem, probes) = (await CountOf("usage_idle", "cpu"), await CountOf("total", "mem"), await CountOf("outcome", "agent"));
                seen = $"stored {stored}, waiting {waiting}, rejected {Sum("rejected")}, lost {Sum("lost_full")} and {Sum("lost_damaged")}; the server has {cpu}, {mem} and {probes}";

                // A sample is one of memory, one of each processor and of all, and how each of the two probes did; two may be on the way.
                var sample = Environment.ProcessorCount + 4;
                return stored == cpu + mem + probes && waiting >= 0 && waiting <= 2 * sample ? "yes" : null;

                long Sum(string name) => accounts.Sum(account => account.GetProperty(name).GetInt64());
            },
            "every point to be accounted for",
            Cancellation,
            () => seen);
    }

    private async Task<long> CountOf(string field, string measurement) =>
        (await _influxd.Query($"SELECT COUNT({field}) FROM {measurement}"))?["count"].GetInt64() ?? 0;

    /// <summary>Of the last event that was told; else of the beginning.</summary>
    private string Cursor() => _told.Count > 0 ? _told[^1].GetProperty("cursor").GetString()! : "MA";

    private async Task StartCollector()
    {
        await _installation.StartCollector();
        _programs.Add(_installation.Collector);
    }

    private async Task StartAgent()
    {
        await _installation.StartAgentOn(Watched, "/", $"http://127.0.0.1:{_network.Port}");
        _programs.Add(_installation.Agent);
    }

    private async Task<string> HeadRoot() =>
        (await _installation.Succeed("instances", "list"))[0].GetProperty("head").GetProperty("roots").GetProperty("file").GetString()!;

    private static Fault[] Shuffled(Random random)
    {
        var faults = Enum.GetValues<Fault>();
        random.Shuffle(faults);
        return faults;
    }

    private static IEnumerable<string> ChangesIn(JsonElement list) => list.EnumerateArray()
        .Select(one => $"{one.GetProperty("change").GetString()} {one.GetProperty("key").GetString()}")
        .Order(StringComparer.Ordinal);

    private static IEnumerable<JsonElement> Lines(RunningProgram watch) => watch.Log.Split('\n')
        .Where(line => line.StartsWith('{'))
        .Select(line => JsonDocument.Parse(line).RootElement);

    private static string IdOf(JsonElement deviation) => deviation.GetProperty("id").GetString()!;

    private static string WordOf(JsonElement transition) => transition.GetProperty("transition").GetString()!;

    private static string Tail(RunningProgram program) => program.Log.Length > 8000 ? program.Log[^8000..] : program.Log;

    private enum Fault
    {
        AgentKilled,
        CollectorKilled,
        InfluxdKilled,
        NetworkCut,
        NetworkHalfClosed,
        NetworkStalled,
        NetworkSlow,
        AgentsDiskFull,
        CollectorsDiskFull,
    }
}
