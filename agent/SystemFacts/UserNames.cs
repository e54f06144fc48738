using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Names of users, from the scanned root's own passwd(5): other sources may ask the network.</summary>
internal sealed class UserNames
{
    private readonly Dictionary<uint, byte[]> _names = [];

    public static UserNames Read(string root)
    {
        var users = new UserNames();
        if (RootedDirectory.Open(root, "etc", out var directory) != 0)
            return users;

        _ = KernelFiles.Read(directory, "passwd\0"u8, out var content);
        OpenFile.Close(directory);
        foreach (var line in content.AsSpan().Split((byte)'\n'))
            users.Line(content.AsSpan()[line]);
        return users;
    }

    /// <summary>The number where there is no name.</summary>
    public byte[] this[uint user] =>
        _names.TryGetValue(user, out var name) ? name : Encoding.ASCII.GetBytes(user.ToString(CultureInfo.InvariantCulture));

    /// <summary><c>name:password:uid:…</c>; of two names the first counts, as for getpwuid(3).</summary>
    private void Line(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        var second = colon < 0 ? -1 : line[(colon + 1)..].IndexOf((byte)':');
        if (colon > 0 && second >= 0 && Utf8Parser.TryParse(line[(colon + second + 2)..], out uint user, out _))
            _names.TryAdd(user, line[..colon].ToArray());
    }
}
