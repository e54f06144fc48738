using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A collector and an agent, or several, as people run them: published programs, in a folder of their own, on free ports.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private const string OnlyAgent = "agent";

    private readonly TemporaryDirectory _folder = new();
    private readonly Dictionary<string, RunningProgram> _agents = [];
    private readonly string _collectorSettings;
    private readonly string _agentSettings;
    private readonly string _facts;
    private readonly int _agentsPort = FreePort.Find();
    private readonly int _operatorsPort = FreePort.Find();
    private RunningProgram? _collector;

    /// <param name="collectorSettings">TOML behind the listeners.</param>
    /// <param name="agentSettings">TOML behind <c>[watch]</c> and <c>[scan]</c>.</param>
    /// <param name="facts">A TOML list. None by default: facts of a live machine change by themselves, and tests count deviations.</param>
    public Installation(string collectorSettings = "", string agentSettings = "", string facts = "[]")
    {
        _collectorSettings = collectorSettings;
        _agentSettings = agentSettings;
        _facts = facts;
        Directory.CreateDirectory(Watched);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The folder the agent watches.</summary>
    public string Watched => _folder["watched"];

    public string this[string name] => _folder[name];

    public string Server => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{_operatorsPort}");

    public string AgentsServer => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{_agentsPort}");

    public string TokenFile => _folder["collector/admin.token"];

    /// <summary>Starts the agent, as a command that ends with the program to run.</summary>
    public IReadOnlyList<string> AgentVia { get; init; } = [];

    public RunningProgram Collector => _collector!;

    public RunningProgram Agent => _agents[OnlyAgent];

    /// <summary>Starts both, waits for the first head, and certifies it as <c>shop:1</c>.</summary>
    public async Task<string> StartCertified()
    {
        await StartCollector();
        await StartAgent();
        return await Certify();
    }

    /// <summary>Certifies the instance as <c>shop:1</c> as it is now.</summary>
    public async Task<string> Certify()
    {
        var id = (await FirstHead()).GetProperty("id").GetString()!;
        await Succeed("baselines", "capture", "shop:1", "--instance", id);
        await Succeed("baselines", "bind", "shop", "--instance", id);
        return id;
    }

    /// <summary>Starts the collector; a second start listens where the first did.</summary>
    public async Task StartCollector()
    {
        await File.WriteAllTextAsync(_folder["collector.toml"], $"""
            data_directory = "{_folder["collector"]}"
            [agents]
            listen = "127.0.0.1:{_agentsPort}"
            [operators]
            listen = "127.0.0.1:{_operatorsPort}"
            {_collectorSettings}
            """, Cancellation);
        if (File.Exists(_folder["collector/addresses.json"]))
            File.Delete(_folder["collector/addresses.json"]);
        _collector = RunningProgram.Start(Programs.Collector, ["serve", "--config", _folder["collector.toml"]]);
        await Eventually.True(() => File.Exists(_folder["collector/addresses.json"]), "the collector to listen", Cancellation, () => _collector.Log);

        var addresses = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["collector/addresses.json"], Cancellation)).RootElement;
        Assert.Equal([AgentsServer, Server], new[] { "agents", "operators" }.Select(name => addresses.GetProperty(name).GetString()));
    }

    /// <summary>Writes a file in one step: nobody sees it empty, or half of it.</summary>
    public void Put(string path, string text) => File.Move(_folder.Write("being-written", text), path, overwrite: true);

    public Task StartAgent() => StartAgentOn("/", Watched);

    /// <summary>Starts the agent on another root, such as a mounted image.</summary>
    /// <param name="via">Where it finds the collector, if not where it listens.</param>
    /// <param name="name">Of one beside others: its instance has this name, and it has a state directory and a log of its own.</param>
    public async Task StartAgentOn(string root, string include, string? via = null, string name = OnlyAgent)
    {
        var settings = _folder[name + ".toml"];
        await File.WriteAllTextAsync(settings, $"""
            collector = "{via ?? AgentsServer}"
            root = "{root}"
            state_directory = "{_folder[name]}"
            [watch]
            include = ["{include}"]
            [scan]
            interval = "1s"
            [system]
            facts = {_facts}
            {_agentSettings}
            """, Cancellation);
        string[] command = [.. AgentVia, Programs.Agent, "run", "--config", settings];
        var named = name == OnlyAgent ? null : new Dictionary<string, string> { ["TELEMETRY_AGENT__INSTANCE__NAME"] = name };
        _agents[name] = RunningProgram.Start(command[0], command[1..], named);
    }

    public Task<Finished> Ctl(params string[] arguments) =>
        Finished.Run(Programs.Ctl, [.. arguments, "--server", Server, "--token-file", TokenFile], environment: null);

    public async Task<JsonElement> Succeed(params string[] arguments)
    {
        var finished = await Ctl(arguments);
        Assert.True(finished.ExitCode == 0, $"telemetryctl {string.Join(' ', arguments)}: {finished.ExitCode} {finished.Error}");
        return JsonDocument.Parse(finished.Output).RootElement;
    }

    /// <summary>The instance, once it has reported a complete state.</summary>
    /// <param name="name">Of one among others.</param>
    public async Task<JsonElement> FirstHead(string? name = null)
    {
        var found = await Eventually.Get(
            async () =>
            {
                var instances = await Succeed("instances", "list");
                var reported = instances.EnumerateArray()
                    .Where(instance => instance.GetProperty("head").ValueKind == JsonValueKind.Object && (name is null || instance.GetProperty("name").GetString() == name))
                    .ToList();
                return reported.Count == 0 ? null : reported;
            },
            "the first head",
            Cancellation,
            Logs);
        return found[0];
    }

    /// <summary>Waits until the open deviations are exactly these, each written as <c>change key</c>.</summary>
    public async Task<IReadOnlyList<JsonElement>> Open(params string[] expected)
    {
        var last = "";
        return await Eventually.Get(
            async () =>
            {
                var open = (await Succeed("deviations", "list", "--state", "open")).EnumerateArray().ToList();
                var found = open.Select(deviation => $"{deviation.GetProperty("change").GetString()} {deviation.GetProperty("key").GetString()}");
                last = string.Join(", ", found.Order(StringComparer.Ordinal));
                return last == string.Join(", ", expected.Order(StringComparer.Ordinal)) ? open : null;
            },
            $"open deviations [{string.Join(", ", expected)}]",
            Cancellation,
            () => $"There are [{last}]. {Logs()}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
            await agent.DisposeAsync();
        if (_collector is not null)
            await _collector.DisposeAsync();
        _folder.Dispose();
    }

    public string Logs() => string.Concat(_agents.Select(agent => $"\n{agent.Key}:\n{agent.Value.Log}")) + $"\nCollector:\n{_collector?.Log}";
}
