using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Telemetry.Collector.TimeSeries;

/// <summary>What a server's answer to a write means for its lines: the same for all kinds, which differ in what they say beside the status.</summary>
internal static partial class AnswerTable
{
    /// <summary>Longer than this nobody is left alone, whatever he asks for.</summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    public static WriteDecision Decide(InfluxAnswer answer, long lineCount) => answer.Status switch
    {
        >= 200 and < 300 => WriteDecision.Done,
        400 or 422 => Refused(answer, lineCount),
        401 or 403 => new WriteDecision(WriteAction.NotAllowed, Words(answer)),
        404 => new WriteDecision(WriteAction.Create, Words(answer)),
        413 => new WriteDecision(WriteAction.Halve, Words(answer)),
        500 when answer.Body.Contains("retention policy not found", StringComparison.OrdinalIgnoreCase) => new WriteDecision(WriteAction.Misconfigured, Words(answer)),
        408 or 429 or >= 500 => new WriteDecision(WriteAction.Wait, Words(answer)) { RetryAfter = RetryAfter(answer) },

        // A redirect, or what is no time-series server: nothing says that the lines are at fault.
        _ => new WriteDecision(WriteAction.Misconfigured, Words(answer)),
    };

    private static WriteDecision Refused(InfluxAnswer answer, long lineCount)
    {
        var (lines, message) = Said(answer.Body);

        // 1.x and 2.x say of most kinds how many there were, at the end: before it stands what an instance may have named. Of what they cannot read they say 0.
        var isAll = lineCount == 1
            || (Dropped().Match(message) is { Success: true } dropped && long.TryParse(dropped.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= lineCount);
        if (isAll)
            return new WriteDecision(WriteAction.SetAsideAll, Words(answer));
        return new WriteDecision(WriteAction.SetAside, Words(answer))
        {
            Lines = [.. lines.Where(line => line.Line >= 0 && line.Line < lineCount)],
            Conflict = FieldConflict.In(message),
        };
    }

    /// <summary>InfluxDB 3 lists bad lines as <c>data</c>, counted from 1; some 2.x name one as <c>line</c>. What is wrong 1.x says as <c>error</c>, 2.x as <c>message</c>.</summary>
    private static (List<(int Line, string Words)> Lines, string Message) Said(string body)
    {
        try
        {
            using var answer = JsonDocument.Parse(body);
            var root = answer.RootElement;
            return root.ValueKind == JsonValueKind.Object ? (LinesIn(root), Text(root, "error") ?? Text(root, "message") ?? body) : ([], body);
        }
        catch (JsonException)
        {
            return ([], body);
        }
    }

    private static List<(int Line, string Words)> LinesIn(JsonElement root)
    {
        if (root.TryGetProperty("data", out var data))
        {
            return data.ValueKind switch
            {
                JsonValueKind.Array => [.. data.EnumerateArray().Select(line => Named(line, "line_number", "error_message")).OfType<(int, string)>()],
                JsonValueKind.Object when Named(data, "line_number", "error_message") is { } one => [one],
                _ => [],
            };
        }

        return Named(root, "line", "message") is { } line ? [line] : [];
    }

    private static (int Line, string Words)? Named(JsonElement element, string number, string words) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(number, out var line) && line.ValueKind == JsonValueKind.Number && line.TryGetInt32(out var value)
            ? (value - 1, Text(element, words) ?? "")
            : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static string Words(InfluxAnswer answer) => answer.Words.Length == 0 ? answer.Status.ToString(CultureInfo.InvariantCulture) : $"{answer.Status} {answer.Words}";

    private static TimeSpan? RetryAfter(InfluxAnswer answer) =>
        answer.RetryAfter is { } asked && asked > TimeSpan.Zero ? (asked < LongestRetryAfter ? asked : LongestRetryAfter) : null;

    [GeneratedRegex(@"\bdropped=([0-9]{1,18})", RegexOptions.RightToLeft)]
    private static partial Regex Dropped();
}
