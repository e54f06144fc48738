using System.Text.Json;

namespace Telemetry.Testing;

/// <summary>A real VictoriaMetrics on a free port, with its data in a folder of its own.</summary>
public sealed class VictoriaMetrics : IAsyncDisposable
{
    private const string Executable = "/usr/bin/victoria-metrics";

    private readonly TemporaryDirectory _folder = new();
    private readonly int _port = FreePort.Find();
    private readonly HttpClient _http = new();
    private RunningProgram? _program;

    public static bool IsInstalled => File.Exists(Executable);

    public string Url => $"http://127.0.0.1:{_port}";

    /// <summary>Where its data lies: what is mounted there can be filled.</summary>
    public string Folder => _folder.Path;

    /// <summary>With less room on its disk it takes nothing.</summary>
    public long LeastFreeBytes { get; init; } = 10_000_000;

    public string Log => _program?.Log ?? "";

    /// <summary>Starts it, keeping points for a year; a second start goes on with its data. A point that is sent twice is one.</summary>
    public async Task Start()
    {
        _program = RunningProgram.Start(
            Executable,
            [
                $"-storageDataPath={_folder["data"]}", $"-httpListenAddr=127.0.0.1:{_port}", "-retentionPeriod=1y", "-dedup.minScrapeInterval=1ms",
                $"-storage.minFreeDiskSpaceBytes={LeastFreeBytes}",
            ]);
        await Eventually.Get(async () => await Answers() ? "up" : null, "victoria-metrics to answer", CancellationToken.None, () => _program.Log);
    }

    /// <summary>As systemd stops it; what it took it keeps. Killed, it may lose what it took in the seconds before, and says nothing of it.</summary>
    public Task Stop() => _program!.Stop();

    /// <summary>kill -9, when there is nothing to keep.</summary>
    public Task Kill() => _program?.Kill() ?? Task.CompletedTask;

    /// <summary>The samples of all series of a name.</summary>
    public async Task<IReadOnlyList<(long Milliseconds, double Value)>> Samples(string series)
    {
        var lines = await _http.GetStringAsync($"{Url}/api/v1/export?reduce_mem_usage=0&match[]={Uri.EscapeDataString($"{{__name__=\"{series}\"}}")}");
        return
        [
            .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement)
                .SelectMany(series => series.GetProperty("timestamps").EnumerateArray().Zip(series.GetProperty("values").EnumerateArray()))
                .Select(sample => (sample.First.GetInt64(), sample.Second.GetDouble())),
        ];
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
            return (await _http.GetAsync($"{Url}/health")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
