using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Units of systemd somebody decided about, or that failed: <c>unit␀nginx.service</c>, with <c>enabled</c>, <c>masked</c>, <c>enabled failed</c> …</summary>
/// <param name="failed">Null: nobody can be asked, such as for an image.</param>
internal sealed class UnitScanner(string root, FailedUnits? failed) : IScanner
{
    private static readonly EntryKey Prefix = EntryKey.Of("unit");

    public Scanner Identity { get; } = new(EntryKind.System, "unit", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        var files = UnitFiles.Read(root);
        if (!files.AreThere && failed is null)
            return false;

        var facts = new SortedDictionary<EntryKey, byte[]>();
        foreach (var (name, state) in files.Units)
            facts[name] = state;

        var names = new List<EntryKey>();
        if (files.Trouble is { } trouble)
            pass.Gap(Prefix, trouble);
        else if (failed?.Ask(names, cancellation) is { } silence)
            pass.Gap(Prefix, $"which units failed is not known: {silence}");
        foreach (var name in names)
            facts[name] = facts.TryGetValue(name, out var state) ? [.. state, .. " failed"u8] : "failed"u8.ToArray();

        var list = new FactList();
        foreach (var (name, state) in facts)
            list[Prefix.Child(name.Bytes)] = new Fingerprint().WithValue(state);
        list.HandOut(pass);
        return true;
    }
}
