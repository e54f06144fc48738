using System.Collections.Immutable;
using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>What a manifest proves and what not.</summary>
public sealed record Coverage(
    Scope Scope,
    ImmutableArray<Scanner> Scanners,
    ImmutableArray<Gap> Gaps,
    ImmutableArray<LossWindow> LossWindows)
{
    public static readonly Coverage Nothing = new(Scope.Everything, [], [], []);

    private KeyPrefixes[] _gapsByKind = ByKind(Gaps);

    public ImmutableArray<Gap> Gaps
    {
        get;
        init
        {
            field = value;
            _gapsByKind = ByKind(value);
        }
    } = Gaps;

    /// <summary>How changes of files come to be known, by prefix. None: the manifest was made by one look, and nobody watched.</summary>
    public ImmutableArray<WatchedPart> Watched { get; init; } = [];

    /// <summary>Whether the manifest says something about a key: that it is there, and what, or that it is not.</summary>
    public bool Covers(EntryKind kind, ReadOnlySpan<byte> key) =>
        ScannerOf(kind, key) is not null
        && Scope.Covers(kind, key)
        && !HasGapAt(kind, key);

    /// <summary>Whether a key lies at or below a gap.</summary>
    public bool HasGapAt(EntryKind kind, ReadOnlySpan<byte> key) => _gapsByKind[(int)kind].Hold(key);

    /// <summary>Whether both say something about the same keys, by comparable scanners.</summary>
    public bool CoversTheSameAs(Coverage other) =>
        Scope.Equals(other.Scope)
        && Gaps.SequenceEqual(other.Gaps)
        && Scanners.Length == other.Scanners.Length
        && Scanners.Zip(other.Scanners).All(pair => pair.First.IsComparableWith(pair.Second));

    /// <summary>The scanner that answers for a key, or null.</summary>
    public Scanner? ScannerOf(EntryKind kind, ReadOnlySpan<byte> key)
    {
        foreach (var scanner in Scanners)
        {
            if (scanner.AnswersFor(kind, key))
                return scanner;
        }

        return null;
    }

    public bool Equals(Coverage? other) =>
        other is not null
        && Scope.Equals(other.Scope)
        && Scanners.SequenceEqual(other.Scanners)
        && Gaps.SequenceEqual(other.Gaps)
        && LossWindows.SequenceEqual(other.LossWindows)
        && Watched.SequenceEqual(other.Watched);

    public override int GetHashCode() => HashCode.Combine(Scope, Scanners.Length, Gaps.Length, LossWindows.Length);

    private static KeyPrefixes[] ByKind(ImmutableArray<Gap> gaps) =>
        [default, .. EntryKinds.All.Select(kind => new KeyPrefixes(gaps.Where(gap => gap.Kind == kind).Select(gap => gap.Prefix)))];
}

/// <summary>A scanner that took part. Equal major versions make comparable entries.</summary>
/// <param name="Kind">The kind of its entries.</param>
/// <param name="Name">
/// Such as <c>file</c> or <c>dpkg</c>. Of packages and system facts it is the first component of the keys; all files are one
/// scanner's, and so are all settings.
/// </param>
/// <param name="Major">Raised when entries of the same thing come out differently.</param>
/// <param name="Minor">Raised when the scanner sees more.</param>
public sealed record Scanner(EntryKind Kind, string Name, uint Major, uint Minor)
{
    private readonly byte[] _firstComponent = Encoding.UTF8.GetBytes(Name);

    // Not to be changed by `with`, which would leave the bytes above behind.
    public string Name { get; } = Name;

    public bool AnswersFor(EntryKind kind, ReadOnlySpan<byte> key) =>
        Kind == kind && (kind is EntryKind.File or EntryKind.Setting || EntryKey.IsUnder(key, _firstComponent));

    public bool IsComparableWith(Scanner other) => Kind == other.Kind && Name == other.Name && Major == other.Major;

    public bool Equals(Scanner? other) =>
        other is not null && IsComparableWith(other) && Minor == other.Minor;

    public override int GetHashCode() => HashCode.Combine(Kind, Name, Major, Minor);
}

/// <summary>A part of a kind that the manifest says nothing about, as a prefix of whole components.</summary>
public sealed record Gap(EntryKind Kind, EntryKey Prefix, string Reason)
{
    /// <summary>What the file at the prefix holds is why, and not a reason that passes.</summary>
    public bool IsRefused { get; init; }
}

/// <summary>An interval in which changes may have come and gone unseen.</summary>
public sealed record LossWindow(DateTimeOffset From, DateTimeOffset To, string Reason);
