using System.CommandLine;
using Grpc.Core;
using Telemetry.Collector.Policies;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class PoliciesCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "Name of a policy." };
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "A policy in TOML; 'policies show default' prints one to start from." };
    private static readonly Option<string> Instance = new("--instance") { Description = "Id of the instance.", HelpName = "ID", Required = true };

    public static Command Create() => new("policies", "What is looked at, how closely it is compared, and how much it matters.")
    {
        CommandLine.Verb("list", "Lists the policies in force, and the baseline lines that judge by them.", "telemetryctl policies list", ListAsync),
        CommandLine.Verb("show", "Prints a policy as it was set, in TOML; with --output json what is known of it as well.", "telemetryctl policies show default > web.toml", ShowAsync, Name),
        CommandLine.Verb("set", "Puts a policy into force, as the next version of the name it gives itself. Instances are judged anew at once. A line judges by 'default' until 'baselines bind LINE --policy NAME' says otherwise.", "telemetryctl policies set web.toml", SetAsync, File),
        CommandLine.Verb("test", "Says what a policy would change for an instance, and changes nothing; exits 0 when nothing, 1 when something.", "telemetryctl policies test web.toml --instance i-1", TestAsync, File, Instance),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new PolicyService.PolicyServiceClient(Connection.Open(arguments));
        var response = await client.ListPoliciesAsync(new ListPoliciesRequest(), cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Policies.Select(PolicyView.Of)],
            "No policy.",
            ["POLICY", "VERSION", "CREATED", "SET BY", "LINES"],
            policy =>
            [
                policy.Name,
                $"{policy.Version}",
                policy.CreatedAt is null ? "with the product" : Output.Time(policy.CreatedAt),
                policy.SetBy ?? "-",
                string.Join(", ", policy.Lines),
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new PolicyService.PolicyServiceClient(Connection.Open(arguments));
        var request = new GetPolicyRequest { Name = arguments.GetValue(Name) };
        var policy = (await client.GetPolicyAsync(request, cancellationToken: cancellation)).Policy;

        // In a pipe too it is the text, so that it can be changed and set again; only who asks for JSON gets it.
        if (arguments.GetValue(OutputFormat.Option) == "json")
            new Output(isJson: true).Show(PolicyTextView.Of(policy), []);
        else
            await Console.Out.WriteAsync(policy.Text);
        return ExitCode.Yes;
    }

    private static async Task<int> SetAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var (text, source) = await ReadAsync(arguments, cancellation);
        var client = new PolicyService.PolicyServiceClient(Connection.Open(arguments));
        var set = PolicySetView.Of(await WithMistakes(JudgementProgress.During(
            arguments, client.SetPolicyAsync(new SetPolicyRequest { Text = text, Source = source }, cancellationToken: cancellation))));
        Output.Of(arguments).Show(set,
        [
            ("policy", set.Name),
            ("version", set.IsNew ? $"{set.Version}" : $"{set.Version}, as before: the text is the same, nothing was changed"),
            ("lines", set.Lines.Count == 0 ? "none yet; name one with 'baselines bind LINE --policy " + set.Name + "'" : string.Join(", ", set.Lines)),
            ("judges", set.Instances.Count == 0 ? "no known instance" : string.Join(' ', set.Instances)),
        ]);
        return ExitCode.Yes;
    }

    private static async Task<int> TestAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var instance = arguments.GetValue(Instance)!;
        var (text, source) = await ReadAsync(arguments, cancellation);
        var client = new PolicyService.PolicyServiceClient(Connection.Open(arguments));
        var trial = PolicyTrialView.Of(instance, await WithMistakes(
            client.TestPolicyAsync(new TestPolicyRequest { Text = text, Source = source, InstanceId = instance }, cancellationToken: cancellation).ResponseAsync));
        var output = Output.Of(arguments);
        if (output.IsJson)
            output.Show(trial, []);
        else
            await PrintAsync(trial);
        return trial.ChangesNothing ? ExitCode.Yes : ExitCode.No;
    }

    private static async Task PrintAsync(PolicyTrialView trial)
    {
        foreach (var (effect, before, deviation) in trial.Effects)
        {
            var severity = before is null || before == deviation.Severity ? deviation.Severity : $"{before} -> {deviation.Severity}";
            await Console.Out.WriteLineAsync(Output.Plain($"{Verb(effect)}  {severity}  {deviation.Change}  {deviation.Key}  {deviation.Id}".TrimEnd()));
        }

        foreach (var (part, change, what) in trial.AfterScan)
            await Console.Out.WriteLineAsync(Output.Plain($"after the agent's next scan  {part} {change}  {what}"));
        if (trial.ChangesNothing)
            await Console.Error.WriteLineAsync("Nothing would change.");
        if (trial.Baseline is null)
            await Console.Error.WriteLineAsync($"No baseline judges {trial.Instance}, or it has not reported yet: nothing can open. Bind one with 'baselines bind'.");
        else if (trial.PolicyInForce != trial.Policy)
            await Console.Error.WriteLineAsync($"{trial.Baseline} judges by policy '{trial.PolicyInForce}'; '{trial.Policy}' judges it after 'policies set' and 'baselines bind {trial.Baseline.Split(':')[0]} --policy {trial.Policy}'.");
    }

    private static string Verb(string effect) => effect switch
    {
        "opened" => "would open  ",
        "closed" => "would close ",
        _ => "would change",
    };

    private static async Task<(string Text, string Source)> ReadAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var file = arguments.GetValue(File)!;
        try
        {
            return (await System.IO.File.ReadAllTextAsync(file.FullName, cancellation), file.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.WrongConfiguration, $"The policy cannot be read: {e.Message}");
        }
    }

    /// <summary>What is wrong with these requests is wrong in the file.</summary>
    private static async Task<T> WithMistakes<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
        {
            throw new CommandException(ExitCode.WrongConfiguration, e.Status.Detail);
        }
    }
}
