using System.CommandLine;
using System.CommandLine.Invocation;
using Grpc.Core;

namespace Telemetry.Collector.Cli;

/// <summary>Everything people type, and how a command ends.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(Command serve, string[] args)
    {
        var root = new RootCommand("Finds where machines differ from their golden baseline, and tells. Also installed as telemetryctl.")
        {
            serve,
            InstancesCommand.Create(),
            BaselinesCommand.Create(),
            DeviationsCommand.Create(),
            DiffCommand.Create(),
            Connection.Server,
            Connection.TokenFile,
            Output.Form,
        };

        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            await Console.Error.WriteLineAsync($"{OneLine(parsed.Errors[0].Message)} See '{string.Join(' ', Path(parsed.CommandResult))} --help'.");
            return ExitCode.WrongUsage;
        }

        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false };

        // The host ends the server on its signals, in its own time; nothing else may.
        if (parsed.CommandResult.Command == serve)
            invocation.ProcessTerminationTimeout = null;
        return await parsed.InvokeAsync(invocation);
    }

    /// <summary>A command that does something, with its arguments and options.</summary>
    public static Command Verb(
        string name, string description, Func<ParseResult, CancellationToken, Task<int>> action, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Arguments.Add(argument);
            else
                command.Options.Add((Option)symbol);
        }

        command.SetAction((arguments, cancellation) => EndAsync(action(arguments, cancellation), arguments, cancellation));
        return command;
    }

    private static async Task<int> EndAsync(Task<int> command, ParseResult arguments, CancellationToken cancellation)
    {
        try
        {
            return await command;
        }
        catch (CommandException e)
        {
            return await FailAsync(e.ExitCode, e.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.No;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && cancellation.IsCancellationRequested)
        {
            return ExitCode.No;
        }
        catch (RpcException e)
        {
            var server = arguments.GetValue(Connection.Server) ?? Environment.GetEnvironmentVariable("TELEMETRY_SERVER") ?? Connection.DefaultServer;
            return e.StatusCode switch
            {
                StatusCode.Unavailable => await FailAsync(ExitCode.Unreachable, $"The collector at {server} cannot be reached; start it with 'telemetry-collector serve', or name another with --server."),
                StatusCode.Unauthenticated => await FailAsync(ExitCode.NotAllowed, $"The collector at {server} does not accept this token; it is in admin.token in the collector's data directory."),
                StatusCode.PermissionDenied => await FailAsync(ExitCode.NotAllowed, e.Status.Detail),
                StatusCode.InvalidArgument => await FailAsync(ExitCode.WrongUsage, e.Status.Detail),
                _ => await FailAsync(ExitCode.No, e.Status.Detail),
            };
        }
    }

    private static async Task<int> FailAsync(int exitCode, string message)
    {
        await Console.Error.WriteLineAsync(message);
        return exitCode;
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> Path(System.CommandLine.Parsing.SymbolResult? result)
    {
        for (var names = new Stack<string>(); ; result = result.Parent)
        {
            if (result is System.CommandLine.Parsing.CommandResult command)
                names.Push(command.Command.Name);
            if (result?.Parent is null)
                return names;
        }
    }
}
