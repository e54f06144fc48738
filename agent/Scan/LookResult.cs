using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

internal enum LookOutcome
{
    /// <summary>There is a fingerprint, complete or with a state that says what is missing.</summary>
    Seen,

    /// <summary>It is there no more.</summary>
    Gone,

    /// <summary>It changed while it was read: look again.</summary>
    Changed,

    /// <summary>We could not look, for a reason that says nothing about the file.</summary>
    Unknown,
}

/// <param name="Fingerprint">With <see cref="LookOutcome.Seen"/>.</param>
internal readonly record struct LookResult(LookOutcome Outcome, Fingerprint? Fingerprint = null)
{
    public static readonly LookResult Gone = new(LookOutcome.Gone);
    public static readonly LookResult Changed = new(LookOutcome.Changed);

    /// <summary>The status the fingerprint belongs to.</summary>
    public FileStatus Status { get; init; }

    /// <summary>Whether the first attempt gave it: the file was not seen to change.</summary>
    public bool IsFirst { get; init; }

    /// <summary>With <see cref="LookOutcome.Unknown"/>: for people.</summary>
    public string? Reason { get; init; }

    public static LookResult Seen(Fingerprint fingerprint) => new(LookOutcome.Seen, fingerprint);

    /// <param name="attributes">What is known of it without reading; null when nothing is.</param>
    public static LookResult OfError(int errno, Fingerprint? attributes) => errno switch
    {
        _ when Errno.IsGone(errno) => Gone,
        Errno.TooManyOpen or Errno.TableFull => new(LookOutcome.Unknown) { Reason = Errno.Text(errno) },
        _ => Seen((attributes ?? new Fingerprint()) with { State = EntryState.Unreadable }),
    };
}
