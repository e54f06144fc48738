namespace Telemetry.Protocol.Model;

/// <summary>One root per kind: what four trees are, in 128 bytes.</summary>
public sealed record Roots(Digest File, Digest Package, Digest Setting, Digest System)
{
    public static readonly Roots Empty =
        new(EncodedNode.Empty.Digest, EncodedNode.Empty.Digest, EncodedNode.Empty.Digest, EncodedNode.Empty.Digest);

    public Digest this[EntryKind kind] => kind switch
    {
        EntryKind.File => File,
        EntryKind.Package => Package,
        EntryKind.Setting => Setting,
        EntryKind.System => System,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
    };

    public Roots With(EntryKind kind, Digest root) => kind switch
    {
        EntryKind.File => this with { File = root },
        EntryKind.Package => this with { Package = root },
        EntryKind.Setting => this with { Setting = root },
        EntryKind.System => this with { System = root },
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
    };
}
