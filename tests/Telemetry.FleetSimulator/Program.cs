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
var restart = new Option<bool>("--await-restart") { Description = "Wait, after that, until the collector was killed and started again, and print how long it took until all were back." };
var root = new RootCommand("Plays a fleet of agents against a collector, over real streams, and prints as JSON what they met with.")
{
    collector, agents, entries, own, points, interval, drift, seconds, seed, pace, restart, pid,
    NullSink.Command(),
};
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
        arguments.GetValue(restart)),
    arguments.GetValue(pid),
    TimeProvider.System).RunAsync(cancellation));
return await root.Parse(args).InvokeAsync();
