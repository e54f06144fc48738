using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>What the links in systemd's folders say of units: systemctl(1), <c>is-enabled</c>.</summary>
/// <remarks>
/// Only <c>/etc</c> and <c>/run</c>, where people and their tools decide: what is disabled or static is most of what is installed,
/// and what a vendor masked or wants in <c>/usr/lib</c> is part of its package.
/// </remarks>
internal sealed class UnitFiles
{
    // Of several the greatest counts.
    private enum State
    {
        Alias,
        Linked,
        EnabledRuntime,
        Enabled,
        MaskedRuntime,
        Masked,
    }

    private static readonly string[] UnitSuffixes =
        [".service", ".socket", ".timer", ".path", ".target", ".mount", ".automount", ".swap", ".slice", ".scope"];

    private static readonly string[] FolderSuffixes = [".wants", ".requires", ".upholds"];

    private readonly Dictionary<EntryKey, (State State, byte[] Target)> _units = [];
    private readonly byte[] _names = new byte[16 * 1024];

    /// <summary>Whether there was a folder to read.</summary>
    public bool AreThere { get; private set; }

    /// <summary>For people; null when all could be read.</summary>
    public string? Trouble { get; private set; }

    public static UnitFiles Read(string root)
    {
        var files = new UnitFiles();
        files.Folder(root, "run/systemd/system", isRuntime: true);
        files.Folder(root, "etc/systemd/system", isRuntime: false);
        return files;
    }

    /// <summary>By name, as systemctl's words: <c>enabled</c>, <c>masked-runtime</c>, <c>alias ssh.service</c> …</summary>
    public IEnumerable<(EntryKey Name, byte[] State)> Units =>
        _units.Select(unit => (unit.Key, unit.Value.State == State.Alias ? [.. "alias "u8, .. unit.Value.Target] : Word(unit.Value.State)));

    private void Folder(string root, string path, bool isRuntime)
    {
        var errno = PathFromRoot.OpenDirectory(root, EntryKey.OfPath(path), out var directory);
        if (Errno.IsGone(errno))
            return;

        AreThere = true;
        if (errno != 0)
        {
            Trouble ??= $"/{path} can't be opened: {Errno.Text(errno)}";
            return;
        }

        try
        {
            errno = DirectoryNames.Read(directory, _names, Path.GetTempPath(), out var names);
            using (names)
            {
                if (errno != 0)
                    Trouble ??= $"/{path} can't be listed: {Errno.Text(errno)}";
                while (names.MoveNext())
                {
                    if (EndsInOneOf(names.Current, UnitSuffixes))
                        Unit(directory, names.Current, names.CurrentWithEnd.Span, isRuntime);
                    else if (EndsInOneOf(names.Current, FolderSuffixes))
                        Dependencies(directory, names.CurrentWithEnd.Span, isRuntime);
                }
            }
        }
        finally
        {
            OpenFile.Close(directory);
        }
    }

    /// <summary>A link to nowhere, or an empty file, masks; one to another name is an alias; one to the same name brings in a unit from elsewhere.</summary>
    private void Unit(int directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> file, bool isRuntime)
    {
        if (FileStatus.Of(directory, file, out var status) != 0)
            return;
        if (status.Type == FileType.File && status.Size == 0)
            Note(name, isRuntime ? State.MaskedRuntime : State.Masked, []);
        if (status.Type != FileType.Symlink || LinkTarget.Read(directory, file, out var target) != 0)
            return;

        var targetName = target.AsSpan()[(target.AsSpan().LastIndexOf((byte)'/') + 1)..];
        if (target.AsSpan().SequenceEqual("/dev/null"u8))
            Note(name, isRuntime ? State.MaskedRuntime : State.Masked, []);
        else if (targetName.SequenceEqual(name))
            Note(name, State.Linked, []);
        else
            Note(name, State.Alias, targetName.ToArray());
    }

    private void Dependencies(int parent, ReadOnlySpan<byte> folder, bool isRuntime)
    {
        if (OpenFile.Directory(parent, folder, out var directory) != 0)
            return;

        try
        {
            _ = DirectoryNames.Read(directory, _names, Path.GetTempPath(), out var names);
            using (names)
            {
                while (names.MoveNext())
                {
                    if (EndsInOneOf(names.Current, UnitSuffixes)
                        && FileStatus.Of(directory, names.CurrentWithEnd.Span, out var status) == 0 && status.Type == FileType.Symlink)
                        Note(names.Current, isRuntime ? State.EnabledRuntime : State.Enabled, []);
                }
            }
        }
        finally
        {
            OpenFile.Close(directory);
        }
    }

    private void Note(ReadOnlySpan<byte> name, State state, byte[] target)
    {
        var key = new EntryKey(name);
        if (!_units.TryGetValue(key, out var known) || known.State <= state)
            _units[key] = (state, target);
    }

    private static byte[] Word(State state) => state switch
    {
        State.Linked => "linked"u8.ToArray(),
        State.EnabledRuntime => "enabled-runtime"u8.ToArray(),
        State.Enabled => "enabled"u8.ToArray(),
        State.MaskedRuntime => "masked-runtime"u8.ToArray(),
        _ => "masked"u8.ToArray(),
    };

    private static bool EndsInOneOf(ReadOnlySpan<byte> name, string[] suffixes)
    {
        foreach (var suffix in suffixes)
        {
            if (name.Length > suffix.Length && System.Text.Ascii.Equals(name[^suffix.Length..], suffix))
                return true;
        }

        return false;
    }
}
