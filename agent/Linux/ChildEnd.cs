using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>How a child process came to its end.</summary>
internal enum ChildOutcome
{
    /// <summary>By itself; the code is its exit code.</summary>
    Exited,

    /// <summary>By a signal that was not ours; the code is the signal.</summary>
    Signalled,

    /// <summary>It never ran; the code is the errno.</summary>
    NotStarted,

    /// <summary>Killed, because it took too long.</summary>
    TimedOut,

    /// <summary>Killed, because it wrote too much.</summary>
    TooMuchOutput,
}

/// <summary>What is left of a child process.</summary>
/// <param name="Error">The begin of what it wrote to standard error.</param>
/// <param name="Unended">It was killed, and is still there.</param>
internal sealed record ChildEnd(string Program, ChildOutcome Outcome, int Code, byte[] Error, UnendedChild? Unended = null)
{
    /// <summary>It did what it was asked.</summary>
    public bool IsSuccess => Outcome == ChildOutcome.Exited && Code == 0;

    /// <summary>For people: a sentence without its full stop, and what the program itself said last.</summary>
    public string Trouble => Outcome switch
    {
        ChildOutcome.Exited => $"{Program} ended with {Code}{Said}",
        ChildOutcome.Signalled => $"{Program} was ended by signal {Code}{Said}",
        ChildOutcome.NotStarted => $"{Program} can't be started: {Errno.Text(Code)}",
        ChildOutcome.TimedOut => $"{Program} took too long and was killed{Said}",
        _ => $"{Program} wrote more than expected and was killed",
    };

    private string Said
    {
        get
        {
            var text = Encoding.UTF8.GetString(Error).Trim();
            var line = text[(text.LastIndexOf('\n') + 1)..].Trim();
            return line.Length == 0 ? "" : ": " + EscapedText.Of(Encoding.UTF8.GetBytes(line));
        }
    }
}
