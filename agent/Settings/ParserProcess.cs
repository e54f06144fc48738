using System.ComponentModel;
using System.Diagnostics;
using Telemetry.Agent.Cli;

namespace Telemetry.Agent.Settings;

/// <summary>A process of this same program that parses files and may do nothing else. On a thread of its own, with which the kernel ends it.</summary>
internal sealed class ParserProcess : IDisposable
{
    private const int BufferSize = 16 * 1024;

    private readonly Process _process;
    private readonly Thread _thread;

    private ParserProcess(Process process, Thread thread)
    {
        _process = process;
        _thread = thread;
        Input = new BufferedStream(process.StandardInput.BaseStream, BufferSize);
        Output = new BufferedStream(process.StandardOutput.BaseStream, BufferSize);
    }

    public Stream Input { get; }

    public Stream Output { get; }

    /// <summary>Those it was given so far; it says that it is ready before the first answer.</summary>
    public int Files { get; set; }

    public int Id => _process.Id;

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
