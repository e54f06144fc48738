using System.Globalization;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Identity;

/// <summary>Notices at the start that the fleet's key is not the one that was in use.</summary>
internal sealed partial class FleetKeyCheck(StateStore store, FleetKey key, ILogger<FleetKeyCheck> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var id = key.Id.ToString("x16", CultureInfo.InvariantCulture);
        var (before, holdsStates) = store.Write(transaction =>
        {
            var before = transaction.Collector.FleetKeyId();
            if (before != id)
                transaction.Collector.SetFleetKeyId(id);
            return (before, transaction.Collector.HoldsStates());
        });
        if (before is not null && before != id && holdsStates)
            Log.OtherKey(logger, FleetKeyFile.FileName, id, before);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{File} holds another key ({Id}) than the one that was in use ({Before}): secrets in what is stored can't be compared with what agents report from now on, only that they are there. Put the old file back, or make new versions of the baselines when the agents have read them again")]
        public static partial void OtherKey(ILogger logger, string file, string id, string before);
    }
}
