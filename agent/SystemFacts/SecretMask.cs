using System.Buffers;
using Telemetry.Agent.Settings;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Takes secrets out of options and command lines before anything is made of them: no digest of a password leaves either.</summary>
internal static class SecretMask
{
    private static ReadOnlySpan<byte> Mask => "***"u8;

    private static readonly SearchValues<byte> Dividers = SearchValues.Create(",;"u8);

    /// <summary>
    /// Parameters divided by spaces, as the kernel divides them: not within double quotes. After a word such as <c>--password</c>
    /// the next one is its value.
    /// </summary>
    public static byte[] OfCommandLine(ReadOnlySpan<byte> line)
    {
        var output = new ArrayBufferWriter<byte>(line.Length + 16);
        ReadOnlySpan<byte> option = [];
        while (!line.IsEmpty)
        {
            var length = WordLength(line);
            var word = line[..length];
            if (!option.IsEmpty && !word.IsEmpty && word[0] != (byte)'-' && SecretNames.IsSecret(option, word))
                output.Write(Mask);
            else
                Option(output, word);
            if (!word.IsEmpty)
                option = word[0] == (byte)'-' && !word.Contains((byte)'=') ? word : [];

            line = line[length..];
            if (!line.IsEmpty)
            {
                output.Write(line[..1]);
                line = line[1..];
            }
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary><c>name=value</c>, a value of more such pairs, or a URL with a user's password.</summary>
    public static byte[] OfOption(ReadOnlySpan<byte> option)
    {
        var output = new ArrayBufferWriter<byte>(option.Length + 16);
        Option(output, option);
        return output.WrittenSpan.ToArray();
    }

    private static void Option(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> option)
    {
        var equals = option.IndexOf((byte)'=');
        if (equals < 0)
        {
            Url(output, option);
            return;
        }

        output.Write(option[..(equals + 1)]);
        if (SecretNames.IsSecret(option[..equals], option[(equals + 1)..]) || TokenText.IsIn(option[(equals + 1)..]))
            output.Write(Mask);
        else
            Values(output, option[(equals + 1)..]);
    }

    /// <summary>A password may hold the dividers itself: from the first secret on everything is masked.</summary>
    private static void Values(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> values)
    {
        for (var start = 0; ;)
        {
            var length = values[start..].IndexOfAny(Dividers);
            var part = length < 0 ? values[start..] : values.Slice(start, length);
            var equals = part.IndexOf((byte)'=');
            if (equals >= 0 && SecretNames.IsSecret(part[..equals], part[(equals + 1)..]))
            {
                Url(output, values[..(start + equals + 1)]);
                output.Write(Mask);
                return;
            }

            if (length < 0)
                break;
            start += length + 1;
        }

        Url(output, values);
    }

    /// <summary><c>scheme://user:password@host</c>, <c>scheme://token@host</c>, and forms without the slashes such as <c>iscsi:user:password@host</c> (dracut.cmdline(7)).</summary>
    private static void Url(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        var at = text.LastIndexOf((byte)'@');
        var scheme = at < 0 ? -1 : text[..at].IndexOf("://"u8);
        var user = scheme < 0 ? 0 : scheme + 3;
        var colon = at < 0 ? -1 : text[user..at].IndexOf((byte)':');
        var isToken = colon < 0 && scheme >= 0 && at > user && !MaskedText.NamesUsers(text[..scheme]);
        if (colon < 0 && !isToken)
        {
            output.Write(text);
            return;
        }

        output.Write(text[..(user + colon + 1)]);
        output.Write(Mask);
        output.Write(text[at..]);
    }

    private static int WordLength(ReadOnlySpan<byte> line)
    {
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == (byte)'"')
                isQuoted = !isQuoted;
            else if (!isQuoted && line[i] is (byte)' ' or (byte)'\t')
                return i;
        }

        return line.Length;
    }
}
