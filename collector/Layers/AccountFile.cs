using System.Globalization;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>A file that gives accounts their numbers, and which settings there are of an account, in it and beside it.</summary>
/// <param name="Path">As people see it.</param>
/// <param name="Field">That has the number.</param>
internal sealed record AccountFile(string Path, string Field)
{
    /// <summary>Begins the keys of conflicts about numbers.</summary>
    public const string ConflictPrefix = "account:";

    private const string Group = "/etc/group";

    public static readonly IReadOnlyList<AccountFile> All = [new("/etc/passwd", "uid"), new(Group, "gid")];

    /// <summary>Files in which an account may have settings.</summary>
    public IReadOnlyList<string> Holders => Path == Group ? [Group] : [Path, "/etc/shadow", Group];

    /// <summary>Whether accounts may have settings in a file.</summary>
    public static bool MayHold(EntryKey file) => All.Any(accounts => accounts.Holders.Any(holder => EntryKey.OfPath(holder) == file));

    /// <summary>As resolutions name it.</summary>
    public string ConflictOf(string number) => $"{ConflictPrefix}{Path}#{number}";

    /// <summary>
    /// The number in an account's setting, in decimal digits alone: <c>00</c> and <c>+0</c> are root as <c>0</c> is. Read as the C library
    /// reads it (glibc's nss_files: strtoul, base 10; what is too much is the highest there is); null: it is none.
    /// </summary>
    public static string? NumberOf(Fingerprint? setting)
    {
        if (setting?.Value is not { } value)
            return null;
        var digits = Encoding.Latin1.GetString(value.Bytes).AsSpan().TrimStart(" \t\n\v\f\r");
        var isNegative = digits.StartsWith("-");
        if (isNegative || digits.StartsWith("+"))
            digits = digits[1..];
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
            return null;
        digits = digits.TrimStart('0');
        var number = digits.IsEmpty ? 0
            : !isNegative && uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed
            : uint.MaxValue;
        return number.ToString(CultureInfo.InvariantCulture);
    }

    /// <returns>The name, if the setting is the number of an account; null: it is something else.</returns>
    public byte[]? AccountOf(EntryKey setting)
    {
        var (file, name, field) = Split(setting);
        return file == Path && name.Length > 0 && field == Field ? Encoding.Latin1.GetBytes(name) : null;
    }

    /// <summary>Whether a setting is part of an account: of its own lines, or that it is in a group.</summary>
    public bool IsOf(EntryKey setting, byte[] account)
    {
        var (file, name, field) = Split(setting);
        var wanted = Encoding.Latin1.GetString(account);
        return file == Group && Path != Group ? field == "user\0" + wanted : Holders.Contains(file) && name == wanted;
    }

    /// <summary>Whose file, the account or group, and the rest; byte for byte.</summary>
    private static (string File, string Name, string Field) Split(EntryKey setting)
    {
        var parts = Encoding.Latin1.GetString(setting.Bytes).Split('\0', 3);
        return ("/" + parts[0], parts.ElementAtOrDefault(1) ?? "", parts.ElementAtOrDefault(2) ?? "");
    }
}
