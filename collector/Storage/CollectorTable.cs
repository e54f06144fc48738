using System.Data.Common;
using Dapper;

namespace Telemetry.Collector.Storage;

/// <summary>What this collector is to its fleet.</summary>
internal sealed class CollectorTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Names the key of the fleet that was in use last; null before the first.</summary>
    public string? FleetKeyId() =>
        connection.QuerySingle<string?>("SELECT fleet_key_id FROM collector", transaction: transaction);

    public void SetFleetKeyId(string id) =>
        connection.Execute("UPDATE collector SET fleet_key_id = @id", new { id }, transaction);

    /// <summary>Notes that acceptances are signed from now on.</summary>
    /// <returns>Whether that is news.</returns>
    public bool BeginAcceptances() =>
        connection.Execute("UPDATE collector SET has_acceptances = 1 WHERE has_acceptances = 0", transaction: transaction) > 0;

    /// <summary>Whether any instance ever reported a state, or any image was imported.</summary>
    public bool HoldsStates() =>
        connection.QuerySingle<long>(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM heads) OR EXISTS (SELECT 1 FROM baselines) THEN 1 ELSE 0 END", transaction: transaction) != 0;
}
