using System.ComponentModel;
using System.Diagnostics;
using Telemetry.Agent.Cli;

namespace Telemetry.Agent.Settings;

/// <summary>A process of this same program that parses files and may do nothing else. On a thread of its own, with which the kernel ends it.</summary>
internal sealed class ParserProcess : IDisposable
{
    private readonly Process _process;
    private readonly Thread _thread;

    private ParserProcess(Process process, Thread thread)
    {
        _process = process;
        _thread = thread;
        Input = process.StandardInput.BaseStream;
        Output = process.StandardOutput.BaseStream;
    }

    public Stream Input { get; }

    public Stream Output { get; }

    public bool HasExited => !_thread.IsAlive;

    /// <exception cref="ParserFailedException">It can't be started.</exception>
    public static ParserProcess Start(string program)
    {
        var started = new TaskCompletionSource<Process>();
        var thread = new Thread(() => Run(program, started)) { IsBackground = true, Name = "parser" };
        thread.Start();
        return new ParserProcess(started.Task.GetAwaiter().GetResult(), thread);
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }

    public void Dispose()
    {
        Kill();
        _thread.Join();
        _process.Dispose();
    }

    private static void Run(string program, TaskCompletionSource<Process> started)
    {
        var start = new ProcessStartInfo(program, [ParseSettingsCommand.Name])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,

            // Nobody reads what it says before it silences itself.
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            started.SetException(new ParserFailedException("the helper that parses settings can't be started: " + e.Message));
            return;
        }

        started.SetResult(process);
        process.WaitForExit();
    }
}

/// <summary>Nothing can be parsed; the message says why.</summary>
internal sealed class ParserFailedException(string message) : Exception(message);
