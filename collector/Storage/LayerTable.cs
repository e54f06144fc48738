using System.Data.Common;
using Dapper;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Layer versions, which never change.</summary>
internal sealed class LayerTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT l.id                  AS Id,
               l.name                AS Name,
               l.version             AS Version,
               l.owner               AS Owner,
               l.before_file_root    AS BeforeFile,
               l.before_package_root AS BeforePackage,
               l.before_setting_root AS BeforeSetting,
               l.before_system_root  AS BeforeSystem,
               l.after_file_root     AS AfterFile,
               l.after_package_root  AS AfterPackage,
               l.after_setting_root  AS AfterSetting,
               l.after_system_root   AS AfterSystem,
               l.claims              AS Claims,
               l.source              AS Source,
               l.created_at          AS CreatedAt
          FROM layers l
        """;

    /// <summary>Adds a version; the id in <paramref name="layer"/> is not used.</summary>
    public Layer Add(Layer layer)
    {
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO layers ( name,  version,  owner,  before_file_root, before_package_root, before_setting_root, before_system_root,
                                 after_file_root, after_package_root, after_setting_root, after_system_root,  claims,  source,  created_at)
                        VALUES (@Line, @Version, @Owner, @BeforeFile,      @BeforePackage,      @BeforeSetting,      @BeforeSystem,
                                @AfterFile,      @AfterPackage,      @AfterSetting,      @AfterSystem,       @Claims, @Source, @CreatedAt)
            RETURNING id
            """,
            new
            {
                layer.Name.Line,
                layer.Name.Version,
                layer.Owner,
                BeforeFile = layer.Before.File.ToArray(),
                BeforePackage = layer.Before.Package.ToArray(),
                BeforeSetting = layer.Before.Setting.ToArray(),
                BeforeSystem = layer.Before.System.ToArray(),
                AfterFile = layer.After.File.ToArray(),
                AfterPackage = layer.After.Package.ToArray(),
                AfterSetting = layer.After.Setting.ToArray(),
                AfterSystem = layer.After.System.ToArray(),
                Claims = layer.ClaimsText,
                layer.Source,
                CreatedAt = layer.CreatedAt.ToUnixTimeMilliseconds(),
            },
            transaction);
        return layer with { Id = id };
    }

    public Layer? Find(VersionName name) =>
        connection.QuerySingleOrDefault<Row>(Select + " WHERE l.name = @Line AND l.version = @Version", new { name.Line, name.Version }, transaction)
            ?.ToLayer();

    /// <summary>The name of a version that exists.</summary>
    public string NameOf(long id) => connection.QuerySingle<string>("SELECT name || ':' || version FROM layers WHERE id = @id", new { id }, transaction);

    /// <summary>All versions, by name, then in order of creation.</summary>
    public IReadOnlyList<Layer> All() =>
        [.. connection.Query<Row>(Select + " ORDER BY l.name, l.id", transaction: transaction).Select(row => row.ToLayer())];

    /// <summary>What a baseline version was composed of, in order; of one that was not: nothing.</summary>
    public IReadOnlyList<Layer> Of(long baselineId) =>
        [.. connection.Query<Row>(
            Select + " JOIN baseline_layers b ON b.layer_id = l.id WHERE b.baseline_id = @baselineId ORDER BY b.position", new { baselineId }, transaction)
            .Select(row => row.ToLayer())];

    /// <summary>The roots of both sides of the next versions by id.</summary>
    public IReadOnlyList<(long Id, Roots Roots)> RootsAfter(long id, int most) =>
    [
        .. RootRow.Query(connection, transaction, "layers", id, most, "before_"),
        .. RootRow.Query(connection, transaction, "layers", id, most, "after_"),
    ];

    private sealed record Row(
        long Id, string Name, string Version, string Owner,
        byte[] BeforeFile, byte[] BeforePackage, byte[] BeforeSetting, byte[] BeforeSystem,
        byte[] AfterFile, byte[] AfterPackage, byte[] AfterSetting, byte[] AfterSystem,
        string Claims, string Source, long CreatedAt)
    {
        public Layer ToLayer() => new(
            Id,
            new VersionName(Name, Version),
            Owner,
            new Roots(new Digest(BeforeFile), new Digest(BeforePackage), new Digest(BeforeSetting), new Digest(BeforeSystem)),
            new Roots(new Digest(AfterFile), new Digest(AfterPackage), new Digest(AfterSetting), new Digest(AfterSystem)),
            Claims,
            Source,
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
    }
}
