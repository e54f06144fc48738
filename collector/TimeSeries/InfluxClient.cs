using System.Net.Http.Headers;
using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <param name="Body">As much of it as is read.</param>
internal sealed record InfluxAnswer(int Status, string Body)
{
    private const int MaxWords = 1_024;

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The header <c>X-Influxdb-Version</c>; empty: none.</summary>
    public string Version { get; init; } = "";

    /// <summary>The header <c>X-Influxdb-Build</c>; empty: none.</summary>
    public string Build { get; init; } = "";

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>For people: what it says, in one line, at most so long.</summary>
    public string Words { get; } = OneLine(Body.Length <= MaxWords ? Body : Body[..MaxWords]);

    private static string OneLine(string text) =>
        string.Join(' ', text.Split([.. Enumerable.Range(0, 32).Select(code => (char)code), '\x7f'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}

/// <summary>A server could not be reached, or did not answer; the message says how.</summary>
internal sealed class InfluxUnreachableException(string message) : Exception(message);

/// <summary>Speaks HTTP to a time-series server, and shows it the token or password of the configuration.</summary>
internal sealed class InfluxClient(InfluxOptions options, HttpClient http, TimeProvider time)
{
    /// <summary>Of an answer: one that names every line of a batch is whole.</summary>
    public const int MaxAnswer = 8 << 20;

    public TimeProvider Time => time;

    public Uri Url => options.Url;

    /// <param name="dialect">Null: it is not known yet.</param>
    /// <exception cref="InfluxUnreachableException">No answer.</exception>
    public async Task<InfluxAnswer> SendAsync(ServerDialect? dialect, HttpMethod method, Uri uri, HttpContent? content, CancellationToken stopping)
    {
        try
        {
            // The client's own timeout ends with the headers.
            using var timeout = new CancellationTokenSource(http.Timeout);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
            using var request = new HttpRequestMessage(method, uri) { Content = content };
            request.Headers.Authorization = Authorization(dialect);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            return new InfluxAnswer((int)response.StatusCode, await ReadAsync(response.Content, patience.Token))
            {
                RetryAfter = response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - time.GetUtcNow()) : null,
                Version = Header(response, "X-Influxdb-Version"),
                Build = Header(response, "X-Influxdb-Build"),
            };
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is HttpRequestException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // A secret's file that cannot be read is named by its path, and never shown.
            throw new InfluxUnreachableException(e is OperationCanceledException ? "it does not answer in time" : e.Message);
        }
    }

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken stopping)
    {
        await using var stream = await content.ReadAsStreamAsync(stopping);
        using var body = new MemoryStream();
        var buffer = new byte[8 * 1024];
        for (int length; body.Length < MaxAnswer && (length = await stream.ReadAsync(buffer, stopping)) > 0;)
            body.Write(buffer, 0, length);
        return Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
    }

    private AuthenticationHeaderValue? Authorization(ServerDialect? dialect)
    {
        if (options is { UserName: { } name, PasswordFile: { } passwordFile })
            return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{Secret(passwordFile)}")));
        if (options.TokenFile is not { } tokenFile)
            return null;
        var token = Secret(tokenFile);
        return dialect?.Authorization(token) ?? new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Without what would break a header, and be shown in the complaint about it.</summary>
    private static string Secret(string path) => string.Concat(File.ReadAllText(path).Where(letter => !char.IsControl(letter))).Trim();

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : "";
}
