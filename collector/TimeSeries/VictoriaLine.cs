using System.Buffers;
using System.Buffers.Text;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>What VictoriaMetrics would lose of a line without saying so. Its limits are those it has by default.</summary>
internal static class VictoriaLine
{
    /// <summary>It drops tags beyond 30 labels; the name and the database are two of them.</summary>
    private const int MaxTags = 28;

    /// <summary>It cuts what is longer.</summary>
    private const int MaxTagValue = 16 * 1024;

    private const int MaxLine = 256 * 1024;

    /// <summary>It drops points that are further ahead.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(2);

    /// <returns>What it keeps of the lines; those of which it keeps nothing; and how many texts were left out of the others.</returns>
    public static (StoredPoints Batch, IReadOnlyList<RefusedParcel> Refused, long Texts) Examine(StoredPoints batch, DateTimeOffset oldest, DateTimeOffset now)
    {
        var lines = batch.Lines;
        List<RefusedParcel>? refused = null;
        ArrayBufferWriter<byte>? kept = null;
        var (count, texts) = (0L, 0L);
        for (var (at, number) = (0, 0L); at < lines.Length; number++)
        {
            var length = LineProtocol.FirstLine(lines.Span[at..]);
            var line = lines.Slice(at, length);
            var reason = Refusal(line.Span, oldest, now, out var hasTexts);
            if (reason is not null || hasTexts)
            {
                // From here on what is kept is a copy.
                if (kept is null)
                {
                    kept = new ArrayBufferWriter<byte>(lines.Length);
                    kept.Write(lines.Span[..at]);
                    count = number;
                }

                if (reason is not null)
                    (refused ??= []).Add(new RefusedParcel(new PointParcel([batch with { Lines = line, LineCount = 1 }]), RejectionReason.RefusedByServer, reason));
                else
                    texts += WithoutTexts(line.Span, kept);
            }
            else
            {
                kept?.Write(line.Span);
            }

            count += kept is not null && reason is null ? 1 : 0;
            at += length;
        }

        return (kept is null ? batch : batch with { Lines = kept.WrittenMemory, LineCount = count }, refused ?? [], texts);
    }

    private static string? Refusal(ReadOnlySpan<byte> line, DateTimeOffset oldest, DateTimeOffset now, out bool hasTexts)
    {
        hasTexts = false;
        if (line.Length > MaxLine)
            return $"VictoriaMetrics takes no line of more than {MaxLine} bytes";

        var (key, fields) = Parts(line);
        if (Tags(line[..key]) is { } mistake)
            return mistake;
        if (Utf8Parser.TryParse(line[(fields + 1)..], out long nanoseconds, out _))
        {
            var time = DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
            if (time < oldest)
                return "it is older than VictoriaMetrics keeps points (-retentionPeriod)";
            if (time > now + Ahead)
                return "it is more than two days ahead, and VictoriaMetrics drops such points";
        }

        var hasNumbers = false;
        for (var rest = line[(key + 1)..fields]; rest.Length > 0;)
        {
            rest = Next(rest, out var isText);
            hasTexts |= isText;
            hasNumbers |= !isText;
        }

        return hasNumbers ? null : "VictoriaMetrics keeps no texts, and would store 0";
    }

    private static string? Tags(ReadOnlySpan<byte> key)
    {
        var (tags, length) = (0, 0);
        for (var i = 0; i < key.Length; i++)
        {
            length++;
            if (key[i] == (byte)'\\')
                i++;
            else if (key[i] == (byte)',')
                (tags, length) = (tags + 1, 0);
            else if (key[i] == (byte)'=')
                length = 0;
            if (length > MaxTagValue)
                return $"VictoriaMetrics cuts tags of more than {MaxTagValue} bytes";
        }

        return tags > MaxTags ? $"VictoriaMetrics drops tags beyond the {MaxTags}th" : null;
    }

    /// <returns>How many there were.</returns>
    private static int WithoutTexts(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> kept)
    {
        var (key, fields) = Parts(line);
        kept.Write(line[..key]);
        var separator = " "u8;
        var texts = 0;
        for (var rest = line[(key + 1)..fields]; rest.Length > 0;)
        {
            var next = Next(rest, out var isText);
            if (isText)
            {
                texts++;
            }
            else
            {
                kept.Write(separator);
                kept.Write(rest[..(rest.Length - next.Length)].TrimEnd((byte)','));
                separator = ","u8;
            }

            rest = next;
        }

        kept.Write(line[fields..]);
        return texts;
    }

    /// <summary>Where the key of a line and its fields end: at the space behind each.</summary>
    private static (int Key, int Fields) Parts(ReadOnlySpan<byte> line)
    {
        var key = 0;
        while (line[key] != (byte)' ')
            key += line[key] == (byte)'\\' ? 2 : 1;

        // The time has neither spaces nor escapes.
        return (key, line.LastIndexOf((byte)' '));
    }

    /// <summary>What comes behind the first field.</summary>
    private static ReadOnlySpan<byte> Next(ReadOnlySpan<byte> fields, out bool isText)
    {
        isText = false;
        var isQuoted = false;
        for (var i = 0; i < fields.Length; i++)
        {
            switch (fields[i])
            {
                case (byte)'\\':
                    i++;
                    break;
                case (byte)'"' when isText && isQuoted:
                    isQuoted = false;
                    break;
                case (byte)'"' when i > 0 && fields[i - 1] == (byte)'=':
                    (isText, isQuoted) = (true, true);
                    break;
                case (byte)',' when !isQuoted:
                    return fields[(i + 1)..];
            }
        }

        return [];
    }
}
