using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>Deviations of a cause, apart by whether its instances agree on them. Pure.</summary>
internal sealed record Agreed(IReadOnlyList<Deviation> Members, IReadOnlyList<Outlier> Outliers)
{
    /// <summary>Entries that stand out, each once however many instances have it.</summary>
    public int OutlyingEntries => Outliers.DistinctBy(outlier => (outlier.Deviation.Kind, outlier.Deviation.Key, new ByteText(outlier.Deviation.Actual))).Count();

    public static Agreed Of(IReadOnlyList<Deviation> deviations, CauseAgreement agreement)
    {
        var reasons = new Dictionary<long, string>();
        var files = new HashSet<(string InstanceId, EntryKey File)>();
        foreach (var deviation in deviations)
        {
            if (agreement.Against(deviation.Kind, deviation.Change, deviation.Membership) is not { } reason)
                continue;
            reasons.Add(deviation.Id, reason);
            if (deviation.Kind == EntryKind.File)
                files.Add((deviation.InstanceId, deviation.Key));
        }

        // Who approves a file approves what it holds; who does not, does not.
        return Apart(deviations, deviation => reasons.GetValueOrDefault(deviation.Id)
            ?? (deviation.Kind == EntryKind.Setting && files.Contains((deviation.InstanceId, SettingKey.FileOf(deviation.Key.Bytes))) ? "in a file that stands out" : null));
    }

    /// <summary>Settings of files that are agreed on: an agent may tell of some that the file does not hold on the others.</summary>
    /// <param name="agreed">Files among them.</param>
    /// <param name="withSettings">The same, and settings of those files, whatever their cause.</param>
    public static Agreed OfSettings(IReadOnlyList<Deviation> agreed, IReadOnlyList<Deviation> withSettings)
    {
        var known = agreed.Select(deviation => deviation.Id).ToHashSet();
        var havingFile = agreed.Where(deviation => deviation.Kind == EntryKind.File).CountBy(deviation => deviation.Key).ToDictionary();
        var having = withSettings
            .Where(deviation => deviation.Kind == EntryKind.Setting)
            .CountBy(deviation => (deviation.Key, new ByteText(deviation.Actual)))
            .ToDictionary();
        return Apart(withSettings, Against);

        string? Against(Deviation deviation)
        {
            if (known.Contains(deviation.Id))
                return null;
            var (some, all) = (having[(deviation.Key, new ByteText(deviation.Actual))], havingFile[SettingKey.FileOf(deviation.Key.Bytes)]);
            return CauseAgreement.IsShared(some, all) ? null : CauseAgreement.OnlyOn(some, all);
        }
    }

    /// <param name="against">Why one is left out, for people; null: it is not.</param>
    /// <param name="needsId">Whether nothing but its id takes what is left out.</param>
    public static Agreed Apart(IReadOnlyList<Deviation> deviations, Func<Deviation, string?> against, bool needsId = false)
    {
        var (members, outliers) = (new List<Deviation>(), new List<Outlier>());
        foreach (var deviation in deviations)
        {
            if (against(deviation) is { } reason)
                outliers.Add(new Outlier(deviation, reason) { NeedsId = needsId });
            else
                members.Add(deviation);
        }

        return new Agreed(members, outliers);
    }
}
