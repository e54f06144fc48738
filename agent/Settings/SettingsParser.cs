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
    // A scan's process has parsed all that there is; one that parsed an edit or two is small.
    private const int MostFilesOfOneThatWaits = 200, MostFilesOfAnEdit = 20;

    // For one file. The helper's own limit is on processor time; this one is for a machine that is busy with other things.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private ParserProcess? _waiting;
    private Timer? _rest;

    /// <summary>Files given to a process so far.</summary>
    public int Files { get; private set; }

    /// <summary>
    /// The process that waits for the next file, if one does. It does for a minute after an edit: who edits settings often edits more,
    /// and a start takes longer than a file.
    /// </summary>
    public int? WaitingProcess
    {
        get
        {
            lock (_gate)
                return _waiting is { HasExited: false } waiting ? waiting.Id : null;
        }
    }

    public void Dispose()
    {
        _rest?.Dispose();
        TakeWaiting()?.Dispose();
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
            var helper = TakeWaiting() ?? ParserProcess.Start(program);
            var isNew = helper.Files == 0;
            if (ParseUntilTrouble(helper, rest, answers, cancellation) is not { } trouble)
                continue;

            // What was parsed before it may have been the cause: it gets a process of its own before it is blamed.
            var first = requests[answers.Count];
            if ((isNew && rest[0] == first) || ParseUntilTrouble(ParserProcess.Start(program), [first], answers, cancellation) is not null)
                answers.Add(new ParseAnswer(null, trouble));
        }

        return answers;
    }

    /// <returns>Null, or what happened at the file after those that were answered.</returns>
    private string? ParseUntilTrouble(ParserProcess helper, IReadOnlyList<ParseRequest> requests, List<ParseAnswer> answers, CancellationToken cancellation)
    {
        var isDone = false;
        using var stop = cancellation.Register(helper.Kill);
        using var clock = new Timer(_ => helper.Kill(), null, Patience, Timeout.InfiniteTimeSpan);
        var writer = new Thread(() => Write(helper.Input, requests)) { IsBackground = true, Name = "settings" };
        writer.Start();
        try
        {
            if (helper.Files == 0 && helper.Output.ReadByte() != ParseProtocol.Ready)
            {
                cancellation.ThrowIfCancellationRequested();
                throw new ParserFailedException("the helper that parses settings does not start");
            }

            for (var i = 0; i < requests.Count; i++)
            {
                answers.Add(ParseProtocol.ReadAnswer(helper.Output));
                clock.Change(Patience, Timeout.InfiniteTimeSpan);
            }

            isDone = true;
            return null;
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            return "the parser failed at it, or took too much time or memory";
        }
        finally
        {
            if (!isDone)
                helper.Kill();
            writer.Join();
            helper.Files += requests.Count;
            Files += requests.Count;
            if (isDone && requests.Count <= MostFilesOfAnEdit && helper.Files <= MostFilesOfOneThatWaits)
                LetWait(helper);
            else
                helper.Dispose();
        }
    }

    private void LetWait(ParserProcess helper)
    {
        ParserProcess? former;
        lock (_gate)
        {
            former = _waiting;
            _waiting = helper;
            (_rest ??= new Timer(_ => TakeWaiting()?.Dispose())).Change(LongestRest, Timeout.InfiniteTimeSpan);
        }

        former?.Dispose();
    }

    /// <returns>Null when none waits, or it has ended meanwhile.</returns>
    private ParserProcess? TakeWaiting()
    {
        ParserProcess? waiting;
        lock (_gate)
        {
            waiting = _waiting;
            _waiting = null;
        }

        if (waiting is not { HasExited: true })
            return waiting;
        waiting.Dispose();
        return null;
    }

    /// <summary>Both sides would wait for each other if the one that reads also wrote.</summary>
    private static void Write(Stream input, IReadOnlyList<ParseRequest> requests)
    {
        try
        {
            foreach (var request in requests)
            {
                ParseProtocol.WriteText(input, Encoding.ASCII.GetBytes(request.Lens));
                ParseProtocol.WriteText(input, request.Content);
            }

            input.Flush();
        }
        catch (IOException)
        {
            // The helper is gone; the reader finds that out as well.
        }
    }
}
