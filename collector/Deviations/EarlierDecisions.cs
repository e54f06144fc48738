using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>
/// What a decision on many deviations leaves to whoever decided on some of them before: who decides on many looks at few of them. Pure.
/// </summary>
internal static class EarlierDecisions
{
    /// <summary>Apart by whether somebody decided on them. To have seen one is no decision against waiving or approving it.</summary>
    /// <param name="gives">What is decided now.</param>
    /// <param name="before">Decisions by their ids, at least those of the deviations.</param>
    public static Agreed Apart(
        IReadOnlyList<Deviation> deviations, DeviationState gives, IReadOnlyDictionary<long, Decision> before, DateTimeOffset now)
    {
        return Agreed.Apart(deviations, deviation => IsLeft(deviation) ? TextOf(deviation) : null, needsId: true);

        bool IsLeft(Deviation deviation) => deviation.State switch
        {
            DeviationState.Waived => IsWaived(deviation, now),
            DeviationState.Acknowledged => gives == DeviationState.Acknowledged,
            DeviationState.Approved => true,
            _ => false,
        };

        string TextOf(Deviation deviation)
        {
            var state = deviation.State.ToString().ToLowerInvariant();
            var until = deviation.DecidedUntil is { } end ? $" until {end.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z" : "";
            return deviation.DecisionId is { } id ? $"{state}{until} by {before[id].By}: {before[id].Reason}" : state;
        }
    }

    /// <summary>Apart by whether a part of their file is waived: who approves a file approves what it holds.</summary>
    /// <param name="open">All that is open of their instances.</param>
    public static Agreed ApartByFile(IReadOnlyList<Deviation> deviations, IEnumerable<Deviation> open, DateTimeOffset now)
    {
        var waived = open.Where(deviation => IsWaived(deviation, now)).Select(FileOf).OfType<(string, EntryKey)>().ToHashSet();
        return Agreed.Apart(
            deviations,
            deviation => FileOf(deviation) is { } file && waived.Contains(file) ? "of one file with what is waived" : null,
            needsId: true);
    }

    /// <returns>Null: it is no part of a file.</returns>
    private static (string InstanceId, EntryKey File)? FileOf(Deviation deviation) => deviation.Kind switch
    {
        EntryKind.File => (deviation.InstanceId, deviation.Key),
        EntryKind.Setting => (deviation.InstanceId, SettingKey.FileOf(deviation.Key.Bytes)),
        _ => null,
    };

    /// <summary>A waiver may have ended just now.</summary>
    private static bool IsWaived(Deviation deviation, DateTimeOffset now) => deviation.State == DeviationState.Waived && !(deviation.DecidedUntil <= now);
}
