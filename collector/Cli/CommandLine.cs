using System.CommandLine;
using Grpc.Core;
using Telemetry.Protocol.Cli;

namespace Telemetry.Collector.Cli;

/// <summary>Everything people type, and how a command ends.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(Command serve, string[] args)
    {
        PlainConsole.Use();
        var root = new RootCommand("Finds where machines differ from their golden baseline, and tells. Also installed as telemetryctl.")
        {
            serve,
            InstancesCommand.Create(),
            BaselinesCommand.Create(),
            LayersCommand.Create(),
            OwnersCommand.Create(),
            PoliciesCommand.Create(),
            ReportsCommand.Create(),
            DeviationsCommand.Create(),
            CausesCommand.Create(),
            DiffCommand.Create(),
            FindCommand.Create(),
            CheckConfigCommand.Create(),
            CheckConfigCommand.CreateVersion(),
            Connection.Server,
            Connection.TokenFile,
            OutputFormat.Option,
        };

        var program = Called(args);
        HelpText.Install(root, program);

        // What begins with @ is no file of arguments but a mistake to tell.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (WrongUsage.Of(parsed, program) is { } wrong)
            return await FailAsync(ExitCode.WrongUsage, wrong);

        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false };

        // The host ends the server on its signals, in its own time; nothing else may.
        if (parsed.CommandResult.Command == serve)
            invocation.ProcessTerminationTimeout = null;
        return await parsed.InvokeAsync(invocation);
    }

    /// <summary>The name people called this program by: it is one program with two.</summary>
    private static string Called(string[] args)
    {
        string[] names = ["telemetryctl", "telemetry-collector"];
        try
        {
            // The file that is run has one name only; what was typed is the first argument.
            var typed = Path.GetFileName(File.ReadAllText("/proc/self/cmdline").Split('\0')[0]);
            if (names.Contains(typed))
                return typed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What it is told to do says enough.
        }

        return args is ["serve", ..] ? names[1] : names[0];
    }

    /// <summary>A command that asks the server, with its arguments and options.</summary>
    /// <param name="examples">One a line.</param>
    public static Verb Verb(
        string name, string description, string examples, Func<ParseResult, CancellationToken, Task<int>> action, params Symbol[] symbols)
    {
        var command = new Verb(name, description, examples);
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
        catch (IOException e)
        {
            return await FailAsync(ExitCode.No, $"The output cannot be written: {e.Message}");
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
                StatusCode.Internal or StatusCode.Unknown when e.Status.DebugException is not null || e.Status.Detail.StartsWith("Bad gRPC response", StringComparison.Ordinal) =>
                    await FailAsync(ExitCode.Unreachable, $"What listens at {server} does not answer as a collector; the address for operators is in addresses.json in the collector's data directory."),
                StatusCode.InvalidArgument => await FailAsync(ExitCode.WrongUsage, e.Status.Detail),
                _ => await FailAsync(ExitCode.No, e.Status.Detail),
            };
        }
    }

    private static async Task<int> FailAsync(int exitCode, string message)
    {
        await Console.Error.WriteLineAsync(Output.PlainLines(message));
        return exitCode;
    }
}
