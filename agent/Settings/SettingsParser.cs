using System.Text;

namespace Telemetry.Agent.Settings;

/// <param name="Content">Without zero bytes, ended by a line's end.</param>
internal sealed record ParseRequest(string Lens, byte[] Content);

/// <summary>
/// Parses files in short-lived processes of this same program, which may do nothing else. What ends such a process costs the one
/// file it was at: the others are parsed by the next.
/// </summary>
/// <param name="program">Also when an upgrade has replaced its file, this process's own.</param>
internal sealed class SettingsParser(string program = "/proc/self/exe") : IDisposable
{
    // For one file. The helper's own limit is on processor time; this one is for a machine that is busy with other things.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private ParserProcess? _spare;
    private Timer? _rest;

    /// <summary>Processes used so far.</summary>
    public int Started { get; private set; }

    /// <summary>
    /// Starts a process for the next file, which waits for a minute: who edits settings often edits more, and a start takes longer
    /// than a file.
    /// </summary>
    public void Prepare() => ThreadPool.QueueUserWorkItem(_ =>
    {
        ParserProcess spare;
        try
        {
            spare = ParserProcess.Start(program);
        }
        catch (ParserFailedException)
        {
            // Whoever parses next is told.
            return;
        }

        ParserProcess? former;
        lock (_gate)
        {
            former = _spare;
            _spare = spare;
            (_rest ??= new Timer(_ => TakeSpare()?.Dispose())).Change(LongestRest, Timeout.InfiniteTimeSpan);
        }

        former?.Dispose();
    });

    public void Dispose()
    {
        _rest?.Dispose();
        TakeSpare()?.Dispose();
    }

    /// <summary>Whether a process waits for the next file.</summary>
    public bool IsPrepared
    {
        get
        {
            lock (_gate)
                return _spare is { HasExited: false };
        }
    }

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
        using var stop = cancellation.Register(helper.Kill);
        using var clock = new Timer(_ => helper.Kill(), null, Patience, Timeout.InfiniteTimeSpan);
        var writer = new Thread(() => Write(helper.Input, requests)) { IsBackground = true, Name = "settings" };
        writer.Start();
        try
        {
            using var output = new BufferedStream(helper.Output, 16 * 1024);
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
            helper.Kill();
            writer.Join();
        }
    }

    private ParserProcess Start()
    {
        Started++;
        if (TakeSpare() is not { } spare)
            return ParserProcess.Start(program);
        if (!spare.HasExited)
            return spare;
        spare.Dispose();
        return ParserProcess.Start(program);
    }

    private ParserProcess? TakeSpare()
    {
        lock (_gate)
        {
            var spare = _spare;
            _spare = null;
            return spare;
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
}
