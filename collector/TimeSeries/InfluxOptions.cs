using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries;

/// <summary>The server that points go to: an InfluxDB 1.x, 2.x or 3, or a VictoriaMetrics.</summary>
/// <param name="Database">1.x, 3, and a label of VictoriaMetrics; the bucket of 2.x.</param>
internal sealed record InfluxOptions(Uri Url, string Database)
{
    /// <summary>Null: found out by asking the server.</summary>
    public ServerKind? Kind { get; init; }

    /// <summary>Of 1.x; null: the database's own.</summary>
    public string? RetentionPolicy { get; init; }

    /// <summary>Of 2.x, which has no write without.</summary>
    public string? Organization { get; init; }

    /// <summary>Read anew for each request, so that it may be replaced; never shown.</summary>
    public string? TokenFile { get; init; }

    public string? UserName { get; init; }

    /// <inheritdoc cref="TokenFile"/>
    public string? PasswordFile { get; init; }

    /// <summary>Reads <c>[timeseries]</c>; null when another store is configured, or none.</summary>
    public static InfluxOptions? Read(SettingsSection section)
    {
        var kind = section.TextOrNull("kind");
        var url = section.TextOrNull("url");
        var database = section.TextOrNull("database");
        var bucket = section.TextOrNull("bucket");
        var version = section.Number("version", 0, least: 1, most: 3);
        var options = new InfluxOptions(new Uri("http://localhost/"), database ?? bucket ?? "telemetry")
        {
            RetentionPolicy = section.TextOrNull("retention_policy"),
            Organization = section.TextOrNull("org"),
            TokenFile = section.TextOrNull("token_file"),
            UserName = section.TextOrNull("username"),
            PasswordFile = section.TextOrNull("password_file"),
        };
        if (kind is null or TimeSeriesOptions.EmbeddedKind or TimeSeriesOptions.NoKind)
        {
            if (kind is null && url is not null)
                section.Fail("kind", "is missing: set it to \"influxdb\" or \"victoriametrics\".");
            return null;
        }

        if (kind is not ("influxdb" or "victoriametrics"))
        {
            section.Fail("kind", "must be \"embedded\" (the default), \"influxdb\", \"victoriametrics\" or \"none\": this version has no other time-series store.");
            return null;
        }

        options = options with { Kind = kind == "victoriametrics" ? ServerKind.VictoriaMetrics : version == 0 ? null : (ServerKind)version };
        Check(section, options, database, bucket);
        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri is { UserInfo: "", Query: "", Fragment: "" })
            return options with { Url = new Uri(uri.AbsoluteUri.TrimEnd('/') + "/") };

        section.Fail("url", "must be the server's address, such as \"http://127.0.0.1:8086\"; a password belongs in a file, see password_file.");
        return null;
    }

    private static void Check(SettingsSection section, InfluxOptions options, string? database, string? bucket)
    {
        if (database is not null && bucket is not null)
            section.Fail("bucket", "cannot stand beside database: it is 2.x's word for the same.");
        if (options.Kind == ServerKind.Influx2 && options.Organization is null)
            section.Fail("org", "must be set for version 2: the organization that the bucket belongs to.");
        if (options.UserName is null != options.PasswordFile is null)
            section.Fail(options.UserName is null ? "username" : "password_file", "is missing: a user name and a file with its password go together.");
        if (options.TokenFile is not null && options.UserName is not null)
            section.Fail("token_file", "cannot stand beside username: a server is shown one of them.");
        foreach (var (name, file) in new[] { ("token_file", options.TokenFile), ("password_file", options.PasswordFile) })
        {
            if (file is not null && !Path.IsPathRooted(file))
                section.Fail(name, "must be an absolute path.");
        }
    }
}
