using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>
/// A stub, not a server: what there is no server of to be had, it answers as the table of answers says that server does.
/// </summary>
internal abstract class StubInflux : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, char> _types = [];
    private readonly Dictionary<string, HashSet<string>> _lines = [];

    protected StubInflux()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _application = builder.Build();
        _application.Run(context => Unavailable > 0 && context.Request.Method == "POST" ? Refuse(context) : Answer(context));
    }

    public Uri Url => new(_application.Urls.First() + "/");

    /// <summary>Answers with this to what is posted, if it is not 0.</summary>
    public int Unavailable { get; set; }

    public int Requests { get; private set; }

    public Task Start() => _application.StartAsync();

    public long CountOf(string measurement)
    {
        lock (_gate)
            return _lines.TryGetValue(measurement, out var lines) ? lines.Count : 0;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    protected abstract Task Answer(HttpContext context);

    protected static Task Say(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }

    protected static async Task<List<string>> Lines(HttpContext context)
    {
        Assert.Equal("gzip", context.Request.Headers.ContentEncoding);
        await using var body = new GZipStream(context.Request.Body, CompressionMode.Decompress);
        using var reader = new StreamReader(body);
        return [.. (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>Stores the lines but those whose field has another type than before.</summary>
    /// <returns>The places, from 0, of those.</returns>
    protected List<int> Store(List<string> lines)
    {
        lock (_gate)
        {
            var conflicts = new List<int>();
            for (var i = 0; i < lines.Count; i++)
            {
                var parts = lines[i].Split(' ', 2);
                var measurement = parts[0].Split(',')[0];
                var (name, value) = (parts[1].Split('=')[0], parts[1].Split('=')[1].Split(' ')[0]);
                var type = value[0] == '"' ? 's' : value[^1] == 'i' ? 'i' : 'f';
                if (_types.TryGetValue(measurement + "." + name, out var known) && known != type)
                {
                    conflicts.Add(i);
                    continue;
                }

                _types[measurement + "." + name] = type;
                if (!_lines.TryGetValue(measurement, out var stored))
                    _lines[measurement] = stored = [];
                stored.Add(lines[i]);
            }

            return conflicts;
        }
    }

    protected string? Newest(string measurement)
    {
        lock (_gate)
            return _lines.TryGetValue(measurement, out var lines) ? lines.Last() : null;
    }

    protected void CountRequest() => Requests++;

    private Task Refuse(HttpContext context)
    {
        if (Unavailable is 429 or 503)
            context.Response.Headers.RetryAfter = "1";
        CountRequest();
        return Say(context, Unavailable, "not now");
    }
}
