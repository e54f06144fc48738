using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Telemetry.Collector.Baselines;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Baseline versions, which never change, and bindings, which do.</summary>
internal sealed class BaselineTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT b.id           AS Id,
               b.name         AS Name,
               b.version      AS Version,
               b.file_root    AS FileRoot,
               b.package_root AS PackageRoot,
               b.setting_root AS SettingRoot,
               b.system_root  AS SystemRoot,
               b.coverage     AS Coverage,
               s.body         AS Scope,
               b.source       AS Source,
               b.entries      AS Entries,
               b.observed_at  AS ObservedAt,
               b.created_at   AS CreatedAt,
               b.owner        AS Owner,
               b.base_id      AS BaseId,
               b.resolutions  AS Resolutions,
               b.retired_at   AS RetiredAt
          FROM baselines b
          JOIN scopes    s ON s.digest = b.scope_digest
        """;

    /// <summary>By what is signed: ids may be swapped by whoever can write to the store.</summary>
    private const string NewestFirst = " ORDER BY b.created_at DESC, b.id DESC";

    private readonly ScopeTable _scopes = new(connection, transaction);

    /// <summary>Adds a version; the id in <paramref name="baseline"/> is not used.</summary>
    public Baseline Add(Baseline baseline)
    {
        _scopes.Add(baseline.Coverage.Scope);
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO baselines ( name,  version,  file_root,  package_root,  setting_root,  system_root,  scope_digest,
                                    coverage,  source,  entries,  observed_at,  created_at,  owner,  base_id,  resolutions)
                           VALUES (@Line, @Version, @FileRoot,  @PackageRoot,  @SettingRoot,  @SystemRoot,  @ScopeDigest,
                                   @Coverage, @Source, @Entries, @ObservedAt,  @CreatedAt,  @Owner, @BaseId,  @Resolutions)
            RETURNING id
            """,
            new
            {
                baseline.Name.Line,
                baseline.Name.Version,
                FileRoot = baseline.Roots.File.ToArray(),
                PackageRoot = baseline.Roots.Package.ToArray(),
                SettingRoot = baseline.Roots.Setting.ToArray(),
                SystemRoot = baseline.Roots.System.ToArray(),
                ScopeDigest = baseline.Coverage.Scope.Digest.ToArray(),
                Coverage = StoredCoverage.Encode(baseline.Coverage),
                baseline.Source,
                baseline.Entries,
                ObservedAt = baseline.ObservedAt.ToUnixTimeMilliseconds(),
                CreatedAt = baseline.CreatedAt.ToUnixTimeMilliseconds(),
                baseline.Owner,
                baseline.BaseId,
                Resolutions = JsonSerializer.Serialize(baseline.Resolutions),
            },
            transaction);
        return baseline with { Id = id };
    }

    /// <summary>Says what a composed version was made of, in order.</summary>
    public void AddLayers(long id, IEnumerable<long> layerIds) =>
        connection.Execute(
            "INSERT INTO baseline_layers (baseline_id, position, layer_id) VALUES (@id, @position, @layerId)",
            layerIds.Select((layerId, position) => new { id, position, layerId }), transaction);

    /// <summary>A version that exists.</summary>
    public Baseline Get(long id) => One(" WHERE b.id = @id", new { id })!;

    /// <summary>Ends that a version is accepted.</summary>
    public void Retire(long id, DateTimeOffset at) =>
        connection.Execute("UPDATE baselines SET retired_at = @At WHERE id = @id", new { id, At = at.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>Accepts a version that was brought along as history.</summary>
    public void Accept(long id) => connection.Execute("UPDATE baselines SET retired_at = NULL WHERE id = @id", new { id }, transaction);

    /// <summary>The versions of a line that are accepted, newest first. The newest is the required one.</summary>
    public IReadOnlyList<Baseline> Accepted(string line) =>
        [.. connection.Query<Row>(Select + " WHERE b.name = @line AND b.retired_at IS NULL" + NewestFirst, new { line }, transaction)
            .Select(row => row.ToBaseline())];

    public Baseline? Find(VersionName name) =>
        One(" WHERE b.name = @Line AND b.version = @Version", new { name.Line, name.Version });

    /// <summary>The name of a version that exists.</summary>
    public string NameOf(long id) =>
        connection.QuerySingle<string>("SELECT name || ':' || version FROM baselines WHERE id = @id", new { id }, transaction);

    /// <summary>The line of a version that exists.</summary>
    public string LineOf(long id) =>
        connection.QuerySingle<string>("SELECT name FROM baselines WHERE id = @id", new { id }, transaction);

    /// <summary>The newest accepted version of a line: the required one.</summary>
    public Baseline? Newest(string line) => One(" WHERE b.name = @line AND b.retired_at IS NULL" + NewestFirst + " LIMIT 1", new { line });

    /// <summary>When the last version of a line was made, accepted or not.</summary>
    public DateTimeOffset? LastCreated(string line) =>
        connection.QuerySingle<long?>("SELECT MAX(created_at) FROM baselines WHERE name = @line", new { line }, transaction) is { } last
            ? DateTimeOffset.FromUnixTimeMilliseconds(last)
            : null;

    /// <summary>Names of all lines.</summary>
    public IReadOnlyList<string> Lines() => [.. connection.Query<string>("SELECT DISTINCT name FROM baselines ORDER BY name", transaction: transaction)];

    /// <summary>Of every line that has one, the newest version that is accepted, by line.</summary>
    public IReadOnlyList<Baseline> NewestOfLines() =>
        [.. connection.Query<Row>(
                Select +
                """
                 WHERE b.id IN (
                    SELECT id
                    FROM   (SELECT id, ROW_NUMBER() OVER (PARTITION BY name ORDER BY created_at DESC, id DESC) AS place FROM baselines WHERE retired_at IS NULL)
                    WHERE  place = 1)
                 ORDER BY b.name
                """, transaction: transaction)
            .Select(row => row.ToBaseline())];

    /// <summary>All versions, by line, then in order of creation.</summary>
    public IReadOnlyList<Baseline> All() =>
        [.. connection.Query<Row>(Select + " ORDER BY b.name, b.created_at, b.id", transaction: transaction).Select(row => row.ToBaseline())];

    /// <summary>The roots of the next versions by id.</summary>
    public IReadOnlyList<(long Id, Roots Roots)> RootsAfter(long id, int most) =>
        RootRow.Query(connection, transaction, "baselines", id, most);

    public void Bind(Binding binding) =>
        connection.Execute(
            """
            INSERT INTO bindings (selector, value, baseline_name) VALUES (@Selector, @Value, @Line)
            ON CONFLICT (selector, value) DO UPDATE SET baseline_name = excluded.baseline_name
            """,
            new { Selector = binding.Selector.ToString(), binding.Value, binding.Line }, transaction);

    public IReadOnlyList<Binding> Bindings() =>
        [.. connection.Query<(string Selector, string Value, string Line)>(
                "SELECT selector, value, baseline_name FROM bindings ORDER BY selector, value", transaction: transaction)
            .Select(row => new Binding(Enum.Parse<Selector>(row.Selector), row.Value, row.Line))];

    private Baseline? One(string where, object parameters) =>
        connection.QuerySingleOrDefault<Row>(Select + where, parameters, transaction)?.ToBaseline();

    private sealed record Row(
        long Id, string Name, string Version,
        byte[] FileRoot, byte[] PackageRoot, byte[] SettingRoot, byte[] SystemRoot,
        byte[] Coverage, byte[] Scope, string Source, long Entries, long ObservedAt, long CreatedAt,
        string Owner, long? BaseId, string Resolutions, long? RetiredAt)
    {
        public Baseline ToBaseline() => new(
            Id,
            new VersionName(Name, Version),
            new Roots(new Digest(FileRoot), new Digest(PackageRoot), new Digest(SettingRoot), new Digest(SystemRoot)),
            StoredCoverage.Decode(Coverage, Scope),
            Source,
            Entries,
            DateTimeOffset.FromUnixTimeMilliseconds(ObservedAt),
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt))
        {
            Owner = Owner,
            BaseId = BaseId,
            Resolutions = JsonSerializer.Deserialize<ImmutableSortedDictionary<string, string>>(Resolutions)!,
            RetiredAt = RetiredAt is { } retired ? DateTimeOffset.FromUnixTimeMilliseconds(retired) : null,
        };
    }
}
