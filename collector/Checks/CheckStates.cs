using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Checks;

/// <summary>Keeps how the checks of an instance are; and when it was down, where a check defines its service.</summary>
internal static class CheckStates
{
    public static void Keep(StoreTransaction transaction, string instanceId, CheckReport report)
    {
        // Changes of an agent's run follow the roster that it began with.
        if (report.Roster is { } roster)
            Forget(transaction, instanceId, roster);
        foreach (var change in report.Changes)
            Keep(transaction, instanceId, change);
    }

    private static void Keep(StoreTransaction transaction, string instanceId, CheckChange change)
    {
        var known = transaction.Checks.Find(instanceId, change.Check);
        if (known is null && transaction.Checks.Count(instanceId) >= CheckMapping.MaxChecks)
            return;

        // An agent that starts tells what it was before, too.
        transaction.Checks.Put(instanceId, new CheckStatus(
            change.Check,
            change.State,
            known is null ? CheckState.None : known.State == change.State ? known.Before : known.State,
            known?.State == change.State ? known.Since : change.At,
            change.Text,
            change.DefinesService));

        // What it can't tell is not down: unknown is never filled.
        if (change is { DefinesService: true, State: CheckState.Critical })
            transaction.StateIntervals.Begin(instanceId, DownSource.Check, change.Check.Id, change.At);
        else
            transaction.StateIntervals.End(instanceId, DownSource.Check, change.Check.Id, change.At);
    }

    private static void Forget(StoreTransaction transaction, string instanceId, CheckRoster roster)
    {
        foreach (var gone in transaction.Checks.All(instanceId).Where(status => !roster.Ids.Contains(status.Check.Id)))
        {
            transaction.Checks.Remove(instanceId, gone.Check);
            transaction.StateIntervals.End(instanceId, DownSource.Check, gone.Check.Id, roster.At);
        }
    }
}
