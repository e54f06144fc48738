using System.Text.Json;

namespace Telemetry.Testing;

/// <summary>A real InfluxDB 1.x on a free port, with its data in a folder of its own.</summary>
public sealed class Influxd : IAsyncDisposable
{
    private const string Executable = "/usr/bin/influxd";

    private readonly TemporaryDirectory _folder = new();
    private readonly int _port = FreePort.Find();
    private readonly HttpClient _http = new();
    private RunningProgram? _program;

    public static bool IsInstalled => File.Exists(Executable);

    public string Url => $"http://127.0.0.1:{_port}";

    /// <summary>Where its data lies: what is mounted there can be filled.</summary>
    public string Folder => _folder.Path;

    /// <summary>Whether it lets in nobody without a user and password.</summary>
    public bool WantsUsers { get; set; }

    public string Log => _program?.Log ?? "";

    /// <summary>Starts it; a second start goes on with its data.</summary>
    public async Task Start()
    {
        await File.WriteAllTextAsync(_folder["influxd.conf"], $"""
            reporting-disabled = true
            bind-address = "127.0.0.1:0"
            [meta]
              dir = "{_folder["meta"]}"
            [data]
              dir = "{_folder["data"]}"
              wal-dir = "{_folder["wal"]}"
            [http]
              bind-address = "127.0.0.1:{_port}"
              auth-enabled = {(WantsUsers ? "true" : "false")}
            """);
        _program = RunningProgram.Start(Executable, ["-config", _folder["influxd.conf"]]);
        await Eventually.Get(async () => await Answers() ? "up" : null, "influxd to answer", CancellationToken.None, () => _program.Log);
    }

    /// <summary>kill -9.</summary>
    public Task Kill() => _program?.Kill() ?? Task.CompletedTask;

    /// <summary>The first row that an InfluxQL query on the database <c>telemetry</c> gives, by column; null: none.</summary>
    /// <remarks>A row with an empty column counts as none: influxd stores a point field by field, so a query meanwhile sees half of it.</remarks>
    public async Task<Dictionary<string, JsonElement>?> Query(string query)
    {
        var answer = await _http.GetStringAsync($"{Url}/query?db=telemetry&q={Uri.EscapeDataString(query)}");
        var result = JsonDocument.Parse(answer).RootElement.GetProperty("results")[0];
        if (!result.TryGetProperty("series", out var series))
            return null;

        var columns = series[0].GetProperty("columns").EnumerateArray().Select(column => column.GetString()!);
        var row = columns.Zip(series[0].GetProperty("values")[0].EnumerateArray()).ToDictionary(pair => pair.First, pair => pair.Second);
        return row.Values.Any(value => value.ValueKind == JsonValueKind.Null) ? null : row;
    }

    /// <summary>What a query says that changes something: CREATE, DROP, GRANT.</summary>
    public async Task Execute(string statement)
    {
        using var answer = await _http.PostAsync($"{Url}/query?q={Uri.EscapeDataString(statement)}", null);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<long> CountOf(string measurement, string field) =>
        (await Query($"SELECT COUNT({field}) FROM {measurement}"))?["count"].GetInt64() ?? 0;

    /// <summary>All points of a field.</summary>
    public async Task<IReadOnlyList<(long Milliseconds, double Value)>> PointsOf(string measurement, string field)
    {
        var answer = await _http.GetStringAsync($"{Url}/query?db=telemetry&epoch=ms&q={Uri.EscapeDataString($"SELECT {field} FROM {measurement}")}");
        using var result = JsonDocument.Parse(answer);
        return result.RootElement.GetProperty("results")[0].TryGetProperty("series", out var series)
            ? [.. series[0].GetProperty("values").EnumerateArray().Select(row => (row[0].GetInt64(), row[1].GetDouble()))]
            : [];
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
            await _program.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> Answers()
    {
        try
        {
            return (await _http.GetAsync($"{Url}/ping")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
