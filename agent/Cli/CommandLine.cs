using System.CommandLine;
using System.CommandLine.Invocation;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Files;

namespace Telemetry.Agent.Cli;

/// <summary>Runs one command: wrong usage and expected failures end in one sentence and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        var result = root.Parse(arguments);
        if (result.Action is ParseErrorAction)
        {
            var command = string.Join(' ', CommandNames(result.CommandResult));
            await Console.Error.WriteLineAsync($"{result.Errors[0].Message} See '{command} --help'.");
            return ExitCode.WrongUsage;
        }

        try
        {
            // Signals are the commands' own matter.
            return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (UsageException e)
        {
            return Fail(e.Message, ExitCode.WrongUsage);
        }
        catch (ConfigurationException e)
        {
            return Fail(e.Message, ExitCode.WrongConfiguration);
        }
        catch (Exception e) when (e is ManifestFileException or ScanRootException)
        {
            return Fail(e.Message, ExitCode.No);
        }
        catch (UnauthorizedAccessException e)
        {
            return Fail(e.Message + " Run as a user who may, or name another path.", ExitCode.NotAllowed);
        }
        catch (IOException e) when (e.HResult == Errno.BrokenPipe)
        {
            // Whoever read our output has seen enough.
            return ExitCode.Done;
        }
        catch (IOException e)
        {
            return Fail(e.Message, ExitCode.No);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static int Fail(string message, int exitCode)
    {
        Console.Error.WriteLine(message);
        return exitCode;
    }

    private static IEnumerable<string> CommandNames(System.CommandLine.Parsing.CommandResult result)
    {
        if (result.Parent is System.CommandLine.Parsing.CommandResult parent)
        {
            foreach (var name in CommandNames(parent))
                yield return name;
        }

        yield return result.Command is RootCommand ? "telemetry-agent" : result.Command.Name;
    }
}

/// <summary>An option's value makes no sense; the message says what would.</summary>
internal sealed class UsageException(string message) : Exception(message);
