using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>
/// Where a path really lies below a root: symbolic links to directories are followed as a program inside the root would
/// (an absolute target starts at the root, <c>..</c> never leads above it). The last component is taken as it is.
/// </summary>
/// <remarks>What a package lists as <c>/bin/ls</c> lies at <c>/usr/bin/ls</c> where <c>/bin</c> is a link. Remembers the directories it was asked for lately.</remarks>
internal sealed class RealPaths(RootedTree tree)
{
    // For one path, as in path_resolution(7): links that lead to links would double the work each time.
    private const int MaxLinks = 40;

    // PATH_MAX; and what a package lists is a tenth of it deep.
    private const int MaxLength = 4096, MaxDepth = 256;

    // Bytes of keys, of which an agent's memory is a handful of times as much: all directories of a big machine would be its greatest
    // part. What packages list is near what they listed before, so little is asked twice.
    private const int MaxRemembered = 512 * 1024;

    private readonly Dictionary<EntryKey, EntryKey> _directories = [];
    private int _remembered;
    private EntryKey _lastAsked, _lastFound;
    private int _followed;

    /// <param name="path">With or without a leading slash.</param>
    /// <returns>A key of the file tree; null when it is longer or deeper than a path is, or has a component <c>..</c>, which no package lists.</returns>
    public EntryKey? Of(ReadOnlySpan<byte> path)
    {
        var key = Normal(path);
        if (key is not { } asked)
            return null;

        var end = asked.Bytes.LastIndexOf(EntryKey.Separator);
        if (end < 0)
            return asked;
        var parent = asked.Bytes[..end];
        if (!parent.SequenceEqual(_lastAsked.Bytes))
        {
            _lastAsked = new EntryKey(parent);
            _followed = 0;
            _lastFound = Directory(_lastAsked);
        }

        return parent.SequenceEqual(_lastFound.Bytes) ? asked : _lastFound.Child(asked.Bytes[(end + 1)..]);
    }

    private EntryKey Directory(EntryKey key)
    {
        if (key.IsRoot)
            return key;
        if (_directories.TryGetValue(key, out var known))
            return known;

        var end = key.Bytes.LastIndexOf(EntryKey.Separator);
        var parent = end < 0 ? EntryKey.Root : Directory(new EntryKey(key.Bytes[..end]));
        var found = Follow(parent, key.Bytes[(end + 1)..]);
        if (found.Equals(key))
            found = key;
        _remembered += key.Length + found.Length;
        if (_remembered > MaxRemembered)
        {
            _directories.Clear();
            _remembered = key.Length + found.Length;
        }

        _directories[key] = found;
        return found;
    }

    /// <param name="directory">Real already.</param>
    private EntryKey Follow(EntryKey directory, ReadOnlySpan<byte> name)
    {
        var child = directory.Child(name);
        if (_followed >= MaxLinks || tree.Status(child.Bytes, out var status) != 0 || status.Type != FileType.Symlink
            || tree.Link(child.Bytes, out var target) != 0)
            return child;

        _followed++;

        var place = target is [(byte)'/', ..] ? EntryKey.Root : directory;
        foreach (var range in target.AsSpan().Split((byte)'/'))
        {
            var component = target.AsSpan(range);
            if (component.SequenceEqual(".."u8))
                place = new EntryKey(place.Bytes[..Math.Max(place.Bytes.LastIndexOf(EntryKey.Separator), 0)]);
            else if (!component.IsEmpty && !component.SequenceEqual("."u8))
                place = Follow(place, component);
        }

        return place;
    }

    /// <summary>Components joined by 0x00, without empty ones and <c>.</c></summary>
    private static EntryKey? Normal(ReadOnlySpan<byte> path)
    {
        if (path.Length > MaxLength || path.Count((byte)'/') > MaxDepth)
            return null;

        var bytes = new byte[path.Length];
        var length = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            var component = path[range];
            if (component.SequenceEqual(".."u8) || component.Contains(EntryKey.Separator))
                return null;
            if (component.IsEmpty || component.SequenceEqual("."u8))
                continue;
            if (length > 0)
                bytes[length++] = EntryKey.Separator;
            component.CopyTo(bytes.AsSpan(length));
            length += component.Length;
        }

        return new EntryKey(bytes.AsSpan(0, length));
    }
}
