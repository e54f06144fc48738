using System.Globalization;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>What a person would type to make an entry what it shall be. Pure; nothing here is ever run.</summary>
internal static class Reversal
{
    /// <summary>Commands for a shell, and comments where a person has to decide.</summary>
    /// <param name="package">That a file belongs to; null: not known.</param>
    /// <param name="root">The directory on the machine that keys are relative to: a person types for the machine.</param>
    public static IReadOnlyList<string> Of(
        EntryKind kind, EntryKey key, Fingerprint? expected, Fingerprint? actual, string? package = null, string root = "/") => kind switch
        {
            EntryKind.File => [.. OfFile(Quoted(Below(root) + "/" + Encoding.Latin1.GetString(key.Bytes).Replace('\0', '/')), expected, actual, Reinstallation(package, Inside(root)))],
            EntryKind.Package => OfPackage(key, expected, actual, Inside(root)),
            EntryKind.Setting => OfSetting(key, expected, root.TrimEnd('/')),
            _ => [$"# bring {KeyText.Format(kind, key.Bytes)} back to: {(expected is null ? "not there" : expected.Value?.ToString() ?? "as before")}"],
        };

    /// <summary>As bytes, without a slash at the end.</summary>
    private static string Below(string root) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(root.TrimEnd('/')));

    /// <summary>What goes before a command that has to run in there.</summary>
    private static string Inside(string root) => root.TrimEnd('/').Length == 0 ? "" : $"chroot -- {Quoted(Below(root))} ";

    private static IEnumerable<string> OfFile(string path, Fingerprint? expected, Fingerprint? actual, string reinstallation)
    {
        if (expected is null)
        {
            yield return actual?.Type == FileType.Directory ? $"rmdir -- {path}" : $"rm -- {path}";
            yield break;
        }

        var isAnother = actual is null || actual.Type != expected.Type;
        if (actual is not null && isAnother)
            yield return actual.Type == FileType.Directory ? $"rmdir -- {path}" : $"rm -- {path}";

        switch (expected.Type)
        {
            case FileType.Directory when isAnother:
                yield return $"mkdir -- {path}";
                break;
            case FileType.Symlink when expected.Target is { } target && (isAnother || actual!.Target != expected.Target):
                yield return $"ln -sfn -- {Quoted(Encoding.Latin1.GetString(target.Bytes))} {path}";
                break;
            case FileType.File when expected.Content is { } content && (isAnother || actual!.Content != content):
                yield return $"# put the content with SHA-256 {content} ({expected.Size} bytes) back into {path}; {reinstallation}";
                break;
            case FileType.File when expected.KeyedContent is { } secret && (isAnother || actual!.KeyedContent != secret):
                yield return $"# put the secret that it held back into {path}";
                break;

            // Where only settings inside it, or only that it is there, is expected.
            case FileType.File when isAnother && expected.Content is null && expected.KeyedContent is null:
                yield return $"# put {path} back, of whose content as a whole nothing is expected; {reinstallation}";
                break;
            case FileType.CharacterDevice or FileType.BlockDevice when (isAnother || actual!.Device != expected.Device) && expected.Device is { } device:
                yield return string.Create(CultureInfo.InvariantCulture, $"mknod -- {path} {(expected.Type == FileType.CharacterDevice ? 'c' : 'b')} {device >> 32} {device & uint.MaxValue}");
                break;
            case FileType.Fifo when isAnother:
                yield return $"mkfifo -- {path}";
                break;
        }

        if (isAnother || actual!.Uid != expected.Uid || actual.Gid != expected.Gid)
            yield return string.Create(CultureInfo.InvariantCulture, $"chown -h {expected.Uid}:{expected.Gid} -- {path}");

        // Behind the owner: a change of that takes setuid away.
        if (expected.Mode is { } mode && (isAnother || actual!.Mode != mode || actual.Uid != expected.Uid || actual.Gid != expected.Gid))
            yield return $"chmod {Convert.ToString(mode, 8).PadLeft(4, '0')} -- {path}";
        if (!isAnother && actual!.Xattrs != expected.Xattrs)
            yield return $"# put the extended attributes (capabilities, ACLs, label) of {path} back: getcap, getfacl and ls -Z show those there are";
    }

    private static string Reinstallation(string? package, string inside) => package is null
        ? $"of a packaged file: {inside}apt-get install --reinstall PACKAGE, or {inside}dnf reinstall PACKAGE"
        : $"by its package: {inside}apt-get install --reinstall -- {Quoted(package)}, or {inside}dnf reinstall -- {Quoted(package)}";

    private static string[] OfPackage(EntryKey key, Fingerprint? expected, Fingerprint? actual, string inside)
    {
        var parts = Encoding.Latin1.GetString(key.Bytes).Split('\0');
        if (parts is not [var manager, var name, .. var rest] || manager is not ("dpkg" or "rpm"))
            return [$"# bring {KeyText.Format(EntryKind.Package, key.Bytes)} back"];

        var architecture = rest.Length > 0 ? rest[^1] : "";
        var version = expected?.Version?.ToString();
        if (manager == "dpkg")
        {
            var package = architecture is "" or "all" ? name : $"{name}:{architecture}";
            return expected is null ? [$"{inside}apt-get purge -- {Quoted(package)}"]
                : actual is null || expected.Version != actual.Version ? [$"{inside}apt-get install --allow-downgrades -- {Quoted($"{package}={version}")}"]
                : [$"{inside}apt-get install --reinstall -- {Quoted($"{package}={version}")}"];
        }

        return expected is null ? [$"{inside}dnf remove -- {Quoted(name)}"]
            : actual is null ? [$"{inside}dnf install -- {Quoted($"{name}-{version}")}"]
            : expected.Version != actual.Version ? [$"{inside}dnf distro-sync -- {Quoted($"{name}-{version}")}"]
            : [$"{inside}dnf reinstall -- {Quoted(name)}"];
    }

    private static string[] OfSetting(EntryKey key, Fingerprint? expected, string root)
    {
        var name = KeyText.Format(EntryKind.Setting, key.Bytes)["setting:".Length..];
        var at = name.IndexOf('#');
        var (file, setting) = at < 0 ? (name, name) : (root + name[..at], name[(at + 1)..]);
        return expected switch
        {
            null => [$"# take {setting} out of {file}"],
            { Value: { } value } => [$"# in {file}, set {setting} to: {value}"],
            _ => [$"# in {file}, set {setting} back to what it was; only a digest of that is kept"],
        };
    }

    /// <summary>For a POSIX shell, whatever the bytes are, and nothing that a terminal would obey.</summary>
    private static string Quoted(string bytes)
    {
        if (bytes.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '.' or '_' or '-' or '+' or ':' or '=' or '~' or '@' or ','))
            return bytes;
        if (bytes.All(letter => letter is >= ' ' and <= '~'))
            return "'" + bytes.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

        var text = new StringBuilder("$'");
        foreach (var letter in bytes)
        {
            if (letter is '\'' or '\\')
                text.Append('\\').Append(letter);
            else if (letter is >= ' ' and <= '~')
                text.Append(letter);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{(int)letter:x2}");
        }

        return text.Append('\'').ToString();
    }
}
