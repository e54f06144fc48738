using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>One entry that is not equal to what is expected, as closely as the policy looks.</summary>
/// <param name="Verdict">Anything but equal.</param>
/// <param name="Ruled">The severity a rule of the policy gives it; null: by its meaning.</param>
/// <param name="IsFormOnly">A file that holds the same settings in another form: other comments, another order where that does not matter.</param>
/// <param name="IsOverdue">Unread by the instance for so long that this is a deviation of its own.</param>
internal sealed record Finding(
    EntryKind Kind, EntryChange Change, Verdict Verdict, Severity? Ruled = null, bool IsFormOnly = false, bool IsOverdue = false)
{
    public EntryKey Key => Change.Key;

    /// <summary>
    /// A file of which only settings are expected, and none could be read of it: whatever it holds, nothing was compared.
    /// </summary>
    public bool IsUnparsed { get; init; }

    /// <summary>The severity that the owner of its layer gives it; null: none.</summary>
    public Severity? Said { get; init; }

    /// <summary>Whether it is a deviation, or only says that nothing can be concluded.</summary>
    public bool IsDeviation => Verdict == Verdict.Different || IsOverdue;
}
