using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Settings;

/// <summary>A file that a policy lists.</summary>
/// <param name="Key">As the file's own entry has it.</param>
internal sealed record FoundFile(EntryKey Key, SettingsFormat Format)
{
    /// <summary>The first component of its settings: the path below the root, with slashes.</summary>
    public byte[] Path { get; } = SettingKey.PrefixOf(Key).Bytes.ToArray();
}

/// <summary>
/// Finds the files that patterns name. Only what lies at or below the patterns' literal beginnings is walked, by descriptor and
/// following no link: a root may be somebody else's image.
/// </summary>
internal sealed class SettingsFileFinder(Policy policy, Scope scope, ScanPass pass, CancellationToken cancellation)
{
    private const int MaxFiles = 10_000;
    private const int MaxDepth = 100;

    private readonly byte[] _records = new byte[64 * 1024];
    private readonly List<FoundFile> _found = [];

    /// <summary>In the order of their settings' keys. What can't be looked into is a gap.</summary>
    public IReadOnlyList<FoundFile> Find(int root)
    {
        EntryKey? last = null;
        var literals = policy.Settings.SelectMany(settings => settings.Match).Select(pattern => pattern.Literal).Distinct();
        foreach (var begin in literals.SelectMany(InScope).Distinct().Order())
        {
            // What lies below another one is met on the way.
            if (last is { } above && begin.IsUnder(above))
                continue;
            last = begin;
            FindFrom(root, begin);
        }

        return [.. _found.OrderBy(file => new EntryKey(file.Path))];
    }

    /// <summary>Where to begin: at the literal, or where the scope begins below it.</summary>
    private IEnumerable<EntryKey> InScope(EntryKey literal) =>
        scope.Include.Where(include => include.IsUnder(literal) || literal.IsUnder(include)).Select(include => include.IsUnder(literal) ? include : literal);

    private void FindFrom(int root, EntryKey begin)
    {
        var errno = PathFromRoot.OpenParent(root, begin, out var directory, out var name);
        if (errno != 0)
            GapOf(begin, errno);
        else
            Visit(directory, name, begin, null, 0);
        PathFromRoot.CloseIfOpen(directory);
    }

    private void Visit(int directory, byte[] name, EntryKey key, ulong? device, int depth)
    {
        cancellation.ThrowIfCancellationRequested();
        var errno = FileStatus.Of(directory, name, out var status);
        if (errno != 0)
            GapOf(key, errno);
        else if (status.Type == FileType.Directory && depth < MaxDepth && (device is null || device == status.Device))
            VisitDirectory(directory, name, key, status.Device, depth);
        else if (status.Type == FileType.File && scope.Covers(key.Bytes) && policy.SettingsOf(key.Bytes) is { } settings)
            Add(key, settings.Format);
    }

    private void VisitDirectory(int parent, byte[] name, EntryKey key, ulong device, int depth)
    {
        // Nothing below is wanted, so nothing below is looked at.
        if (scope.Exclude.Any(key.IsUnder))
            return;

        var errno = OpenFile.Directory(parent, name, out var directory);
        if (errno == Errno.Loop)
            return;
        if (errno != 0)
        {
            GapOf(key, errno, isDirectory: true);
            return;
        }

        errno = DirectoryNames.Read(directory, _records, Path.GetTempPath(), out var names);
        using (names)
        {
            if (errno != 0)
                GapOf(key, errno, isDirectory: true);
            while (names.MoveNext())
                Visit(directory, names.CurrentWithEnd.ToArray(), key.Child(names.Current), device, depth + 1);
        }

        OpenFile.Close(directory);
    }

    /// <param name="name">Of the format; a policy may know more of them than this version.</param>
    private void Add(EntryKey file, string name)
    {
        if (SettingsFormat.Find(name) is not { } format)
            pass.Gap(SettingKey.PrefixOf(file), $"this version of the agent does not know the format '{EscapedText.Of(Encoding.UTF8.GetBytes(name))}'");
        else if (_found.Count == MaxFiles)
            pass.Gap(EntryKey.Root, $"the policy lists more than {MaxFiles} files to parse");
        else
            _found.Add(new FoundFile(file, format));
    }

    /// <summary>A name that is not there holds no settings. Of a directory that can't be read nobody knows whose settings are missing.</summary>
    private void GapOf(EntryKey key, int errno, bool isDirectory = false)
    {
        if (Errno.IsGone(errno) || errno == Errno.Loop)
            return;
        var isOneFile = !isDirectory && policy.SettingsOf(key.Bytes) is not null;
        pass.Gap(isOneFile ? SettingKey.PrefixOf(key) : EntryKey.Root, $"{KeyText.Format(EntryKind.File, key.Bytes)}: {Errno.Text(errno)}");
    }
}
