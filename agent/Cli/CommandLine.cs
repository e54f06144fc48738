using System.CommandLine;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Files;

namespace Telemetry.Agent.Cli;

/// <summary>Runs one command: wrong usage and expected failures end in one sentence and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        PlainConsole.Use();

        // A file's name may begin with @: it is no file of arguments.
        var result = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (WrongUsage.Of(result, "telemetry-agent") is { } wrong)
            return Fail(wrong, ExitCode.WrongUsage);

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
        catch (StateDirectoryInUseException e)
        {
            return Fail(e.Message, ExitCode.No);
        }
        catch (ManifestFileException e)
        {
            return Fail(e.Message, e.IsDenied ? ExitCode.NotAllowed : ExitCode.WrongUsage);
        }
        catch (ScanRootException e)
        {
            return Fail(e.Message, e.IsDenied ? ExitCode.NotAllowed : ExitCode.WrongUsage);
        }
        catch (UnauthorizedAccessException e)
        {
            return Fail(e.Message + " Run as a user who may, or name another path.", ExitCode.NotAllowed);
        }
        catch (IOException e) when (e.HResult == Errno.BrokenPipe)
        {
            // Whoever read our output has seen enough.
            return ExitCode.Yes;
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
}

/// <summary>An option's value makes no sense; the message says what would.</summary>
internal sealed class UsageException(string message) : Exception(message);
