using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Storage;

/// <summary>Policies that people set, whose versions never change, and which line judges by which.</summary>
internal sealed class PolicyTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT name       AS Name,
               version    AS Version,
               body       AS Text,
               created_at AS CreatedAt,
               set_by     AS SetBy
          FROM policies
        """;

    /// <exception cref="DbException">That version exists.</exception>
    public void Add(StoredPolicy policy) =>
        connection.Execute(
            """
            INSERT INTO policies ( name,  version,  body,  created_at,  set_by)
                          VALUES (@Name, @Version, @Text, @CreatedAt,  @SetBy)
            """,
            new { policy.Name, policy.Version, policy.Text, CreatedAt = policy.CreatedAt.ToUnixTimeMilliseconds(), policy.SetBy },
            transaction);

    /// <summary>The newest version; null when nobody set this policy.</summary>
    public StoredPolicy? Newest(string name) =>
        connection.QuerySingleOrDefault<Row>(Select + " WHERE name = @name ORDER BY version DESC LIMIT 1", new { name }, transaction)?.ToPolicy();

    /// <summary>The names of all policies that were set, in order.</summary>
    public IReadOnlyList<string> Names() =>
        [.. connection.Query<string>("SELECT DISTINCT name FROM policies ORDER BY name", transaction: transaction)];

    public string OfLine(string line) =>
        connection.QuerySingleOrDefault<string>(
            "SELECT policy_name FROM line_policies WHERE baseline_name = @line", new { line }, transaction)
        ?? ShippedPolicies.Default.Name;

    public void SetOfLine(string line, string policy) =>
        connection.Execute(
            """
            INSERT INTO line_policies (baseline_name, policy_name) VALUES (@line, @policy)
            ON CONFLICT (baseline_name) DO UPDATE SET policy_name = excluded.policy_name
            """,
            new { line, policy }, transaction);

    private sealed record Row(string Name, long Version, string Text, long CreatedAt, string SetBy)
    {
        public StoredPolicy ToPolicy() =>
            new(Name, (int)Version, Text, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), SetBy);
    }
}

/// <summary>One version of a policy as it was set.</summary>
internal sealed record StoredPolicy(string Name, int Version, string Text, DateTimeOffset CreatedAt, string SetBy);
