using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Kernel parameters that are asked for: <c>sysctl␀net.ipv4.ip_forward</c>, named as sysctl(8) prints them.</summary>
/// <param name="patterns">
/// Names, in which a star stands for anything within one part: <c>net.ipv4.conf.*.rp_filter</c>. As sysctl(8) takes them: with dots
/// or with slashes, and where dots divide, a slash is a dot of a name (<c>net.ipv4.conf.eth0/100.rp_filter</c>).
/// </param>
/// <remarks>
/// What may only be written is no fact. Of parameters with a secret name only the presence is told. One that can't be read though
/// its mode says so, such as an unset <c>stable_secret</c>, is unreadable.
/// </remarks>
internal sealed class SysctlScanner(string proc, IReadOnlyList<string> patterns) : IScanner
{
    private const uint AnyoneReads = 0x124; // 0444

    private static readonly EntryKey Prefix = EntryKey.Of("sysctl");

    private readonly byte[][][] _patterns = [.. patterns.Select(Parts)];

    public Scanner Identity { get; } = new(EntryKind.System, "sysctl", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        if (_patterns.Length == 0 || KernelFiles.Open(proc) is not { } files)
            return false;

        using (files)
        {
            if (OpenFile.Directory(files.Descriptor, "sys\0"u8, out var directory) != 0)
                return false;
            try
            {
                var look = new Look(pass);
                foreach (var pattern in _patterns)
                    look.Below(directory, pattern, []);
                look.Facts.HandOut(pass);
                return true;
            }
            finally
            {
                OpenFile.Close(directory);
            }
        }
    }

    /// <summary>Where a name begins with a slash as its first divider, dots are parts of names; else the two change places.</summary>
    private static byte[][] Parts(string name)
    {
        var first = name.AsSpan().IndexOfAny('.', '/');
        var parts = first >= 0 && name[first] == '/'
            ? name.Split('/', StringSplitOptions.RemoveEmptyEntries)
            : [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Replace('/', '.'))];
        return [.. parts.Select(Encoding.UTF8.GetBytes)];
    }

    private sealed class Look(ScanPass pass)
    {
        private readonly byte[] _names = new byte[16 * 1024];

        public FactList Facts { get; } = new();

        /// <param name="name">The parts so far, as the key has them.</param>
        public void Below(int directory, ReadOnlySpan<byte[]> parts, byte[] name)
        {
            if (parts.IsEmpty)
                return;

            if (!parts[0].Contains((byte)'*'))
            {
                Part(directory, parts[0], parts[1..], name);
                return;
            }

            var errno = DirectoryNames.Read(directory, _names, Path.GetTempPath(), out var names);
            if (errno != 0 && !Errno.IsGone(errno))
                pass.Gap(Prefix, $"{Encoding.UTF8.GetString(name)} can't be listed: {Errno.Text(errno)}");
            using (names)
            {
                while (names.MoveNext())
                {
                    if (Glob.Matches(parts[0], names.Current))
                        Part(directory, names.Current, parts[1..], name);
                }
            }
        }

        private void Part(int directory, ReadOnlySpan<byte> part, ReadOnlySpan<byte[]> rest, byte[] name)
        {
            // What a pattern says must not lead out of /proc/sys.
            if (part.SequenceEqual(".."u8) || part.SequenceEqual("."u8) || part.Contains((byte)'/') || part.Contains((byte)0))
                return;

            byte[] file = [.. part, 0];
            byte[] key = [.. name, .. name.Length == 0 ? ""u8 : "."u8, .. part];
            key.AsSpan(key.Length - part.Length).Replace((byte)'.', (byte)'/');
            if (rest.IsEmpty)
            {
                Parameter(directory, file, key);
                return;
            }

            var errno = OpenFile.Directory(directory, file, out var below);
            if (errno != 0)
            {
                if (!Errno.IsGone(errno))
                    pass.Gap(Prefix, $"{Encoding.UTF8.GetString(key)} can't be opened: {Errno.Text(errno)}");
                return;
            }

            try
            {
                Below(below, rest, key);
            }
            finally
            {
                OpenFile.Close(below);
            }
        }

        private void Parameter(int directory, byte[] file, byte[] name)
        {
            if (FileStatus.Of(directory, file, out var status) != 0
                || status.Type != FileType.File || (status.Mode & AnyoneReads) == 0)
                return;

            var errno = KernelFiles.Read(directory, file, out var content);
            if (Errno.IsGone(errno))
                return;

            var fact = new Fingerprint();
            Facts[Prefix.Child(name)] = errno != 0
                ? fact with { State = EntryState.Unreadable }
                : SecretNames.IsSecret(name) ? fact : fact.WithValue(content.AsSpan().TrimEnd((byte)'\n'));
        }
    }
}
