using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Kernel parameters that are asked for: <c>sysctl␀net.ipv4.ip_forward</c>, named as sysctl(8) prints them.</summary>
/// <remarks>
/// What may only be written is no fact. Of parameters with a secret name only the presence is told. One that can't be read though
/// its mode says so, such as an unset <c>stable_secret</c>, is unreadable.
/// </remarks>
internal sealed class SysctlScanner(string proc, IReadOnlyList<SysctlPattern> patterns) : IScanner
{
    private const uint AnyoneReads = 0x124; // 0444

    private static readonly EntryKey Prefix = EntryKey.Of("sysctl");

    /// <summary>What this machine's own configuration lets be read; null: all.</summary>
    public IReadOnlyList<SysctlPattern>? Allowed { get; init; }

    public Scanner Identity { get; } = new(EntryKind.System, "sysctl", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        if (patterns.Count == 0 || KernelFiles.Open(proc) is not { } files)
            return false;

        using (files)
        {
            if (OpenFile.Directory(files.Descriptor, "sys\0"u8, out var directory) != 0)
                return false;
            try
            {
                var look = new Look(pass, Allowed);
                foreach (var pattern in patterns)
                    look.Below(directory, pattern, 0, []);
                look.Facts.HandOut(pass);
                return true;
            }
            finally
            {
                OpenFile.Close(directory);
            }
        }
    }

    private sealed class Look(ScanPass pass, IReadOnlyList<SysctlPattern>? allowed)
    {
        private readonly byte[] _names = new byte[16 * 1024];

        public FactList Facts { get; } = new();

        /// <param name="part">Of the pattern, to be looked for in the directory.</param>
        /// <param name="name">The parts so far, as the key has them.</param>
        public void Below(int directory, SysctlPattern pattern, int part, byte[] name)
        {
            if (pattern.Literal(part) is { } literal)
            {
                Part(directory, literal, pattern, part, name);
                return;
            }

            var errno = DirectoryNames.Read(directory, _names, Path.GetTempPath(), out var names);
            if (errno != 0 && !Errno.IsGone(errno))
                pass.Gap(Prefix, $"{Encoding.UTF8.GetString(name)} can't be listed: {Errno.Text(errno)}");
            using (names)
            {
                while (names.MoveNext())
                {
                    if (pattern.Matches(part, names.Current))
                        Part(directory, names.Current, pattern, part, name);
                }
            }
        }

        private void Part(int directory, ReadOnlySpan<byte> found, SysctlPattern pattern, int part, byte[] name)
        {
            // What a pattern says must not lead out of /proc/sys.
            if (found.SequenceEqual(".."u8) || found.SequenceEqual("."u8) || found.Contains((byte)'/') || found.Contains((byte)0))
                return;

            byte[] file = [.. found, 0];
            byte[] key = [.. name, .. name.Length == 0 ? ""u8 : "."u8, .. found];
            key.AsSpan(key.Length - found.Length).Replace((byte)'.', (byte)'/');
            if (part == pattern.Length - 1)
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
                Below(below, pattern, part + 1, key);
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

            if (allowed is not null && !allowed.Any(pattern => pattern.Matches(name)))
            {
                pass.Gap(Prefix.Child(name), "this machine's own configuration does not allow to read it (policy.sysctls)");
                return;
            }

            var errno = KernelFiles.Read(directory, file, out var content);
            if (Errno.IsGone(errno))
                return;

            var fact = new Fingerprint();
            Facts[Prefix.Child(name)] = errno != 0
                ? fact with { State = EntryState.Unreadable }
                : SecretNames.IsSecret(name, content) ? fact : fact.WithValue(content.AsSpan().TrimEnd((byte)'\n'));
        }
    }
}
