using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Telemetry.Agent.Cli;

namespace Telemetry.Agent.Settings;

/// <param name="Content">Without zero bytes, ended by a line's end.</param>
internal sealed record ParseRequest(string Lens, byte[] Content);

/// <summary>
/// Parses files in short-lived processes of this same program, which may do nothing else. What ends such a process costs the one
/// file it was at: the others are parsed by the next.
/// </summary>
/// <param name="program">Also when an upgrade has replaced its file, this process's own.</param>
internal sealed class SettingsParser(string program = "/proc/self/exe")
{
    // For one file. The helper's own limit is on processor time; this one is for a machine that is busy with other things.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Processes started so far.</summary>
    public int Started { get; private set; }

    /// <param name="mayGoOn">Asked before each helper is started: when no longer, the rest is <see cref="ParseAnswer.Postponed"/>.</param>
    /// <returns>One answer a request, in their order.</returns>
    /// <exception cref="ParserMissingException">libaugeas or its lenses are not installed.</exception>
    /// <exception cref="ParserFailedException">The helper can't be started.</exception>
    public IReadOnlyList<ParseAnswer> Parse(IReadOnlyList<ParseRequest> requests, Func<bool> mayGoOn, CancellationToken cancellation)
    {
        var answers = new List<ParseAnswer>();
        while (answers.Count < requests.Count)
        {
            if (!mayGoOn())
            {
                answers.Add(ParseAnswer.Postponed);
                continue;
            }

            var rest = requests.Skip(answers.Count).ToList();
            if (ParseUntilTrouble(rest, answers, cancellation) is not { } trouble)
                continue;

            // What was parsed before it may have been the cause: it gets a process of its own before it is blamed.
            var first = requests[answers.Count];
            if (rest[0] == first || ParseUntilTrouble([first], answers, cancellation) is not null)
                answers.Add(new ParseAnswer(null, trouble));
        }

        return answers;
    }

    /// <returns>Null, or what happened at the file after those that were answered.</returns>
    private string? ParseUntilTrouble(IReadOnlyList<ParseRequest> requests, List<ParseAnswer> answers, CancellationToken cancellation)
    {
        using var helper = Start();
        using var stop = cancellation.Register(() => Kill(helper));
        using var clock = new Timer(_ => Kill(helper), null, Patience, Timeout.InfiniteTimeSpan);
        var writer = new Thread(() => Write(helper.StandardInput.BaseStream, requests)) { IsBackground = true, Name = "settings" };
        writer.Start();
        try
        {
            using var output = new BufferedStream(helper.StandardOutput.BaseStream, 16 * 1024);
            if (output.ReadByte() != ParseProtocol.Ready)
            {
                cancellation.ThrowIfCancellationRequested();
                throw new ParserFailedException("the helper that parses settings does not start");
            }

            for (var i = 0; i < requests.Count; i++)
            {
                answers.Add(ParseProtocol.ReadAnswer(output));
                clock.Change(Patience, Timeout.InfiniteTimeSpan);
            }

            return null;
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            return "the parser failed at it, or took too much time or memory";
        }
        finally
        {
            Kill(helper);
            writer.Join();
            helper.WaitForExit();
        }
    }

    private Process Start()
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
        try
        {
            Started++;
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ParserFailedException("the helper that parses settings can't be started: " + e.Message);
        }
    }

    /// <summary>Both sides would wait for each other if the one that reads also wrote.</summary>
    private static void Write(Stream input, IReadOnlyList<ParseRequest> requests)
    {
        try
        {
            using (input)
            {
                foreach (var request in requests)
                {
                    ParseProtocol.WriteText(input, Encoding.ASCII.GetBytes(request.Lens));
                    ParseProtocol.WriteText(input, request.Content);
                }
            }
        }
        catch (IOException)
        {
            // The helper is gone; the reader finds that out as well.
        }
    }

    private static void Kill(Process helper)
    {
        try
        {
            helper.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }
}

/// <summary>Nothing can be parsed; the message says why.</summary>
internal sealed class ParserFailedException(string message) : Exception(message);
