using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Checks;

/// <summary>What one run of a check came to.</summary>
/// <param name="Text">The plug-in's own, or why there is none; one line.</param>
/// <param name="Values">What it measured; none when it did not end as plug-ins do.</param>
internal sealed record CheckResult(CheckState State, string Text, IReadOnlyList<PerfValue> Values, int Malformed)
{
    private const int MaxText = 1_000;

    public static CheckResult Unknown(string why) => new(CheckState.Unknown, Short(why), [], 0);

    /// <summary>
    /// Its exit code is its state. Anything but 0 to 3, a signal and a timeout are UNKNOWN, and so is a warning or worse without a
    /// word: a plug-in that is broken ends like that, and says why on standard error.
    /// </summary>
    public static CheckResult Of(ChildEnd end, ReadOnlySpan<byte> output)
    {
        if (end is not { Outcome: ChildOutcome.Exited, Code: >= 0 and <= 3 })
            return Unknown(end.Trouble);

        var isSilent = output.Trim(" \t\r\n"u8).IsEmpty;
        if (isSilent && (CheckState)end.Code is (CheckState.Warning or CheckState.Critical))
            return Unknown($"{end.Trouble} (it wrote nothing to standard output)");

        var parsed = PluginOutput.Parse(output);
        return new CheckResult((CheckState)end.Code, Short(parsed.Text), [.. parsed.Data.Values.Select(value => value with { Label = Masked(value.Label) })], parsed.Data.Malformed);
    }

    private static string Masked(string text) => Encoding.UTF8.GetString(CommandLineMask.OfMessage(Encoding.UTF8.GetBytes(text)));

    /// <summary>It goes to logs and terminals, and off this machine.</summary>
    private static string Short(string text)
    {
        text = Masked(text);
        if (!EscapedText.IsPlain(text))
            text = EscapedText.Of(Encoding.UTF8.GetBytes(text));
        if (text.Length <= MaxText)
            return text;
        return text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)] + "…";
    }
}
