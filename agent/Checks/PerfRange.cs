using System.Buffers;
using System.Globalization;

namespace Telemetry.Agent.Checks;

/// <summary>For which values a plug-in alerts: <c>[@]start:end</c> of the Nagios plug-ins' guidelines.</summary>
/// <param name="From">Null: −∞.</param>
/// <param name="To">Null: ∞.</param>
/// <param name="IsInside">It alerts within, both ends included; else outside of them.</param>
internal readonly record struct PerfRange(double? From, double? To, bool IsInside)
{
    internal static readonly SearchValues<char> NumberSigns = SearchValues.Create("-.0123456789");

    /// <summary><c>10</c>, <c>10:</c>, <c>~:10</c>, <c>10:20</c> or <c>@10:20</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PerfRange range)
    {
        range = default;
        var isInside = text.StartsWith("@");
        if (isInside)
            text = text[1..];

        double? from = 0, to = null;
        var colon = text.IndexOf(':');
        if (colon >= 0)
        {
            var start = text[..colon];
            if (start.SequenceEqual("~"))
                from = null;
            else if (!start.IsEmpty && !TryNumber(start, out from))
                return false;
            text = text[(colon + 1)..];
        }

        if ((!text.IsEmpty || colon < 0) && !TryNumber(text, out to))
            return false;
        range = new PerfRange(from, to, isInside);
        return from is null || to is null || from <= to;
    }

    public bool Alerts(double value) => IsInside == ((From is null || value >= From) && (To is null || value <= To));

    /// <summary>Digits, a sign and a point, nothing else: no exponent, no comma.</summary>
    internal static bool TryNumber(ReadOnlySpan<char> text, out double? number)
    {
        number = double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && text.IndexOfAnyExcept(NumberSigns) < 0 && double.IsFinite(value) ? value : null;
        return number is not null;
    }
}
