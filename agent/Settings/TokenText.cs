using System.Buffers;

namespace Telemetry.Agent.Settings;

/// <summary>Finds secrets that show what they are: tokens whose issuers begin them with a mark of their own, JWTs, and hashes of passwords.</summary>
internal static class TokenText
{
    private static readonly SearchValues<byte> Letters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    // Of a hash (crypt(5)), which begins with a dollar, and of what has parts.
    private static readonly SearchValues<byte> MoreLetters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+=,$"u8);

    // GitHub, GitLab, AWS, Slack, JWT, OpenAI and Anthropic, Stripe, Vault, npm, PyPI, DigitalOcean, SendGrid, Google, age, Docker, Hugging Face, Shopify.
    private static readonly byte[][] Marks =
    [
        .. new[]
        {
            "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glrt-", "AKIA", "ASIA", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "eyJ",
            "sk-", "sk_live_", "sk_test_", "rk_live_", "whsec_", "hvs.", "hvb.", "npm_", "pypi-", "dop_v1_", "SG.", "AIza", "ya29.", "AGE-SECRET-KEY-1",
            "dckr_pat_", "hf_", "shpat_", "$1$", "$5$", "$6$", "$y$", "$gy$", "$2a$", "$2b$", "$2y$", "$apr1$", "$argon2",
        }.Select(mark => System.Text.Encoding.ASCII.GetBytes(mark)),
    ];

    private static readonly SearchValues<byte> First = SearchValues.Create([.. Marks.Select(mark => mark[0]).Distinct()]);

    // Of what comes behind the mark.
    private const int MinLength = 12, MaxJudged = 256;

    /// <param name="position">In: where to look from. Out: behind what was found.</param>
    /// <param name="start">Where it begins.</param>
    public static bool Next(ReadOnlySpan<byte> text, ref int position, out int start)
    {
        for (; position < text.Length; position++)
        {
            var skipped = text[position..].IndexOfAny(First);
            if (skipped < 0)
                break;
            position += skipped;
            if ((position > 0 && Letters.Contains(text[position - 1])) || MarkAt(text[position..]) is not { } mark)
                continue;

            var rest = text[(position + mark)..];
            if (!IsDrawn(rest[..Math.Min(rest.Length, MaxJudged)]))
                continue;
            start = position;
            position += mark + (rest.IndexOfAnyExcept(MoreLetters) is var end and >= 0 ? end : rest.Length);
            return true;
        }

        (start, position) = (text.Length, text.Length);
        return false;
    }

    public static bool IsIn(ReadOnlySpan<byte> text)
    {
        var position = 0;
        return Next(text, ref position, out _);
    }

    public static void Find(ReadOnlySpan<byte> text, Span<bool> marks)
    {
        for (var position = 0; Next(text, ref position, out var start);)
            marks[start..position].Fill(true);
    }

    /// <summary>A digit or a capital among enough letters: a name in lower case, such as <c>sk-learn-contrib-tools</c>, has a mark by chance.</summary>
    private static bool IsDrawn(ReadOnlySpan<byte> text)
    {
        text = text[..(text.IndexOfAnyExcept(MoreLetters) is var end and >= 0 ? end : text.Length)];
        return text.Length >= MinLength && (text.ContainsAnyInRange((byte)'0', (byte)'9') || text.ContainsAnyInRange((byte)'A', (byte)'Z'));
    }

    private static int? MarkAt(ReadOnlySpan<byte> text)
    {
        foreach (var mark in Marks)
        {
            if (text.StartsWith(mark))
                return mark.Length;
        }

        return null;
    }
}
