using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Which kernel runs, and what it was told: <c>kernel␀release</c>, <c>kernel␀version</c>, <c>kernel␀command_line</c>.</summary>
/// <remarks>
/// The version names the build: it is compiled in, so it is the same at every boot, and it alone tells two builds of one release
/// apart (Debian's security updates keep the release). Secrets in the command line are masked.
/// </remarks>
internal sealed class KernelScanner(string proc) : IScanner
{
    public Scanner Identity { get; } = new(EntryKind.System, "kernel", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        using var files = KernelFiles.Open(proc);
        if (files is null)
            return false;

        var facts = new FactList();
        var isThere = Read(files, "cmdline\0"u8, "command_line", pass, facts);
        isThere |= Read(files, "sys/kernel/osrelease\0"u8, "release", pass, facts);
        isThere |= Read(files, "sys/kernel/version\0"u8, "version", pass, facts);
        facts.HandOut(pass);
        return isThere;
    }

    private static bool Read(KernelFiles files, ReadOnlySpan<byte> file, string name, ScanPass pass, FactList facts)
    {
        var key = EntryKey.Of("kernel", name);
        var errno = files.Read(file, out var content);
        if (Errno.IsGone(errno))
            return false;

        if (errno != 0)
            pass.Gap(key, $"it can't be read: {Errno.Text(errno)}");
        else
            facts[key] = new Fingerprint().WithValue(SecretMask.OfCommandLine(content.AsSpan().TrimEnd("\n \0"u8)));
        return true;
    }
}
