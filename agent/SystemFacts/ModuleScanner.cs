using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Modules in the kernel: <c>module␀NAME</c>. A kernel without modules has no such facts.</summary>
/// <remarks>
/// A module of the kernel's own tree has no value: which build it is, the kernel's release and version say, once and not in a
/// hundred deviations. One that taints the kernel (from elsewhere, unsigned, forced in …) has its taint flags and, if it was built
/// with one, its source version. Not: size, references, addresses.
/// </remarks>
internal sealed class ModuleScanner(string proc, string sys) : IScanner
{
    private static readonly EntryKey Prefix = EntryKey.Of("module");

    public Scanner Identity { get; } = new(EntryKind.System, "module", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        using var files = KernelFiles.Open(proc);
        if (files is null)
            return false;

        var errno = files.Read("modules\0"u8, out var content);
        if (Errno.IsGone(errno))
            return false;

        if (errno != 0)
        {
            pass.Gap(Prefix, $"{proc}/modules can't be read: {Errno.Text(errno)}");
            return true;
        }

        using var attributes = KernelFiles.Open(sys);
        var facts = new FactList();
        foreach (var line in content.AsSpan().Split((byte)'\n'))
            Line(content.AsSpan()[line], attributes, pass, facts);
        facts.HandOut(pass);
        return true;
    }

    /// <summary><c>name size references users state address (flags)</c>, see proc_modules(5).</summary>
    private static void Line(ReadOnlySpan<byte> line, KernelFiles? attributes, ScanPass pass, FactList facts)
    {
        if (line.IsEmpty)
            return;

        var rest = line;
        var name = Columns.Next(ref rest);
        for (var i = 0; i < 3; i++)
            Columns.Next(ref rest);
        var state = Columns.Next(ref rest);
        var address = Columns.Next(ref rest);
        if (!address.StartsWith("0x"u8) || name.IsEmpty || name.Contains((byte)'/') || name.Contains((byte)0))
        {
            pass.Gap(Prefix, "a line is not about a module");
            return;
        }

        // One that is on its way out is gone.
        if (state.SequenceEqual("Unloading"u8))
            return;

        // A plus or minus among the flags: it is on its way in or out.
        var flags = rest.ToArray().Where(flag => char.IsAsciiLetter((char)flag)).Order().ToArray();
        var fact = new Fingerprint();
        facts[Prefix.Child(name)] = flags.Length == 0 ? fact : fact.WithValue([.. flags, .. SourceVersion(attributes, name)]);
    }

    private static byte[] SourceVersion(KernelFiles? attributes, ReadOnlySpan<byte> name) =>
        attributes is not null && attributes.Read([.. "module/"u8, .. name, .. "/srcversion\0"u8], out var version) == 0
            ? [(byte)' ', .. version.AsSpan().TrimEnd((byte)'\n')]
            : [];
}
