using System.CommandLine;
using Telemetry.FleetSimulator;

var collector = new Option<Uri>("--collector") { CustomParser = result => new Uri(result.Tokens[0].Value), Description = "Where agents connect, such as http://127.0.0.1:7443.", Required = true };
var agents = new Option<int>("--agents") { Description = "How many.", DefaultValueFactory = _ => 100 };
var entries = new Option<int>("--entries") { Description = "Of the base that all share.", DefaultValueFactory = _ => 10_000 };
var own = new Option<int>("--own") { Description = "Entries in which an agent differs from the base.", DefaultValueFactory = _ => 3 };
var points = new Option<int>("--points") { Description = "In each batch of metrics.", DefaultValueFactory = _ => 60 };
var interval = new Option<double>("--interval") { Description = "Seconds between batches of metrics of one agent.", DefaultValueFactory = _ => 10 };
var drift = new Option<double>("--drift") { Description = "Changes a second, over the whole fleet.", DefaultValueFactory = _ => 1 };
var seconds = new Option<double>("--seconds") { Description = "How long, from the moment that all are connected.", DefaultValueFactory = _ => 60 };
var seed = new Option<int>("--seed") { Description = "The same seed makes the same fleet.", DefaultValueFactory = _ => 1 };
var pace = new Option<int>("--pace") { Description = "Agents that are started in a second.", DefaultValueFactory = _ => 500 };
var pid = new Option<int?>("--pid") { Description = "Process id of the collector, to report its processor time and memory." };
var operators = new Option<Uri?>("--operators") { CustomParser = result => new Uri(result.Tokens[0].Value), Description = "Where operators connect: what the first agent is becomes the baseline of all, and deviations are watched. Not given: nothing deviates." };
var token = new Option<string?>("--token-file") { Description = "File that holds the admin's token; needed for --operators." };
var storm = new Option<int>("--storm") { Description = "Agents that lose their connections, all at once, after that time, and come back: a second line tells how." };
var restart = new Option<bool>("--await-restart") { Description = "Wait, after that, until the collector was killed and started again, and print how long it took until all were back." };
var stay = new Option<bool>("--stay") { Description = "Go on, after everything was told, until stopped." };
var root = new RootCommand("Plays a fleet of agents against a collector, over real streams, and prints as JSON what they met with.")
{
    collector, agents, entries, own, points, interval, drift, seconds, seed, pace, operators, token, storm, restart, stay, pid,
    NullSink.Command(),
};
root.Validators.Add(result =>
{
    if ((result.GetValue(operators) is null) != (result.GetValue(token) is null))
        result.AddError("--operators and --token-file belong together.");
    if (result.GetValue(storm) is var lost && (lost < 0 || lost > result.GetValue(agents)))
        result.AddError("--storm takes at most as many agents as there are.");
});
root.SetAction((arguments, cancellation) => new Fleet(
    new FleetOptions(
        arguments.GetValue(collector)!,
        arguments.GetValue(agents),
        arguments.GetValue(entries),
        arguments.GetValue(own),
        arguments.GetValue(points),
        TimeSpan.FromSeconds(arguments.GetValue(interval)),
        arguments.GetValue(drift),
        TimeSpan.FromSeconds(arguments.GetValue(seconds)),
        arguments.GetValue(seed),
        arguments.GetValue(pace),
        arguments.GetValue(operators),
        arguments.GetValue(token),
        arguments.GetValue(storm),
        arguments.GetValue(restart),
        arguments.GetValue(stay)),
    arguments.GetValue(pid),
    TimeProvider.System).RunAsync(cancellation));
return await root.Parse(args).InvokeAsync();
