using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Mapping;

/// <summary>Manifests between messages and model. What a message may get wrong ends in <see cref="BadMessageException"/>.</summary>
public static class ManifestMapping
{
    private const int MaxScopePrefixes = 10_000;
    private const int MaxScopePatterns = 1_000;
    private const int MaxScanners = 256;
    private const int MaxGaps = 10_000;
    private const int MaxLossWindows = 10_000;
    private const int MaxWatchedParts = 1_000;
    private const int MaxNameLength = 100;
    private const int MaxReasonLength = 300;

    public static V1.Roots ToMessage(this Roots roots) => new()
    {
        File = roots.File.ToMessage(),
        Package = roots.Package.ToMessage(),
        Setting = roots.Setting.ToMessage(),
        System = roots.System.ToMessage(),
    };

    public static Roots ToModel(this V1.Roots? message) =>
        message is null
            ? throw new BadMessageException("the roots are absent")
            : new Roots(message.File.ToDigest(), message.Package.ToDigest(), message.Setting.ToDigest(), message.System.ToDigest());

    public static ByteString ToMessage(this Digest digest) => UnsafeByteOperations.UnsafeWrap(digest.ToArray());

    public static Digest ToDigest(this ByteString bytes) =>
        bytes.Length == Digest.Size
            ? new Digest(bytes.Span)
            : throw new BadMessageException($"a digest of {bytes.Length} bytes");

    /// <param name="withScope">Whether the receiver still has to be told the scope itself.</param>
    public static V1.Coverage ToMessage(this Coverage coverage, bool withScope = true)
    {
        var message = new V1.Coverage { ScopeDigest = coverage.Scope.Digest.ToMessage() };
        if (withScope)
            message.Scope = coverage.Scope.ToMessage();
        message.Scanners.AddRange(coverage.Scanners.Select(scanner => new V1.Scanner
        {
            Kind = scanner.Kind.ToMessage(),
            Name = scanner.Name,
            Major = scanner.Major,
            Minor = scanner.Minor,
        }));
        message.Gaps.AddRange(coverage.Gaps.Select(gap => new V1.Gap
        {
            Kind = gap.Kind.ToMessage(),
            Prefix = ByteString.CopyFrom(gap.Prefix.Bytes),
            Reason = gap.Reason,
            Refused = gap.IsRefused,
        }));
        message.LossWindows.AddRange(coverage.LossWindows.Select(window => new V1.LossWindow
        {
            From = window.From.ToTimestamp(),
            To = window.To.ToTimestamp(),
            Reason = window.Reason,
        }));
        message.Watched.AddRange(coverage.Watched.Take(MaxWatchedParts).Select(part => new V1.WatchedPart
        {
            Prefix = ByteString.CopyFrom(part.Prefix.Bytes),
            Method = (V1.WatchMethod)part.Method,
            Reason = part.Reason,
        }));
        return message;
    }

    /// <param name="knownScope">Finds a scope the sender told before by its digest; null when there is none.</param>
    public static Coverage ToModel(this V1.Coverage? message, Func<Digest, Scope?> knownScope)
    {
        if (message is null)
            throw new BadMessageException("the coverage is absent");
        Limit(message.Scanners.Count, MaxScanners, "scanners");
        Limit(message.Gaps.Count, MaxGaps, "gaps");
        Limit(message.LossWindows.Count, MaxLossWindows, "loss windows");
        Limit(message.Watched.Count, MaxWatchedParts, "watched parts");

        var digest = message.ScopeDigest.ToDigest();
        var scope = message.Scope is not null ? message.Scope.ToModel()
            : knownScope(digest) ?? throw new BadMessageException("a scope that was never told");
        if (scope.Digest != digest)
            throw new BadMessageException("a scope that does not match its digest");

        return new Coverage(
            scope,
            [.. message.Scanners.Select(scanner => new Scanner(scanner.Kind.ToModel(), Name(scanner.Name), scanner.Major, scanner.Minor))],
            [.. message.Gaps.Select(gap => new Gap(gap.Kind.ToModel(), gap.Prefix.ToKey(), Short(gap.Reason)) { IsRefused = gap.Refused })],
            [.. message.LossWindows.Select(window =>
                new LossWindow(window.From.ToTime("loss window"), window.To.ToTime("loss window"), Short(window.Reason)))])
        {
            Watched = [.. message.Watched.Select(part => new WatchedPart(part.Prefix.ToKey(), part.Method.ToModel(), Short(part.Reason)))],
        };
    }

    public static Coverage ToModel(this V1.Coverage? message) => message.ToModel(_ => null);

    public static V1.Manifest ToMessage(this ManifestHead head) => new()
    {
        Roots = head.Roots.ToMessage(),
        Coverage = head.Coverage.ToMessage(),
        ObservedAt = head.ObservedAt.ToTimestamp(),
        Source = head.Source,
        NodeFormat = TreeNode.Format,
    };

    public static ManifestHead ToModel(this V1.Manifest message) =>
        message.NodeFormat == TreeNode.Format
            ? new ManifestHead(message.Roots.ToModel(), message.Coverage.ToModel(), message.ObservedAt.ToTime("observed_at"), Short(message.Source))
            : throw new BadMessageException($"node format {message.NodeFormat}; this version reads {TreeNode.Format}");

    public static V1.Kind ToMessage(this EntryKind kind) => (V1.Kind)kind;

    public static EntryKind ToModel(this V1.Kind kind) =>
        kind is >= V1.Kind.File and <= V1.Kind.System ? (EntryKind)kind : throw new BadMessageException($"unknown kind {(int)kind}");

    // An agent may be younger than who reads this.
    private static WatchMethod ToModel(this V1.WatchMethod method) =>
        method is >= V1.WatchMethod.Fanotify and <= V1.WatchMethod.Scans ? (WatchMethod)method : WatchMethod.Unknown;

    public static Timestamp ToTimestamp(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    public static DateTimeOffset ToTime(this Timestamp? time, string what)
    {
        try
        {
            return time?.ToDateTimeOffset() ?? throw new BadMessageException($"{what} is absent");
        }
        catch (InvalidOperationException)
        {
            throw new BadMessageException($"{what} is not a time");
        }
    }

    public static V1.Scope ToMessage(this Scope scope)
    {
        var message = new V1.Scope();
        message.Include.AddRange(scope.Include.Select(key => ByteString.CopyFrom(key.Bytes)));
        message.Exclude.AddRange(scope.Exclude.Select(key => ByteString.CopyFrom(key.Bytes)));
        message.Parsed.AddRange(scope.Parsed.Select(pattern => pattern.Text));
        message.Sysctls.AddRange(scope.Sysctls.Select(pattern => pattern.Text));
        return message;
    }

    public static Scope ToModel(this V1.Scope message)
    {
        Limit(message.Include.Count + message.Exclude.Count, MaxScopePrefixes, "prefixes of a scope");
        Limit(message.Parsed.Count + message.Sysctls.Count, MaxScopePatterns, "patterns of a scope");
        return new Scope(
            message.Include.Select(ToKey), message.Exclude.Select(ToKey), message.Parsed.Select(ToPattern), message.Sysctls.Select(ToSysctl));
    }

    public static KeyPattern ToPattern(this string text) => Parsed(text, KeyPattern.Parse);

    public static SysctlPattern ToSysctl(this string text) => Parsed(text, SysctlPattern.Parse);

    private static T Parsed<T>(string text, Func<string, T> parse)
    {
        try
        {
            return text.Length <= EntryKey.MaxLength
                ? parse(text)
                : throw new BadMessageException($"a pattern of {text.Length} characters, {EntryKey.MaxLength} is the limit");
        }
        catch (FormatException e)
        {
            throw new BadMessageException(e.Message.TrimEnd('.'));
        }
    }

    public static EntryKey ToKey(this ByteString bytes) =>
        bytes.Length <= EntryKey.MaxLength
            ? new EntryKey(bytes.Span)
            : throw new BadMessageException($"a key of {bytes.Length} bytes, {EntryKey.MaxLength} is the limit");

    private static void Limit(int count, int limit, string what)
    {
        if (count > limit)
            throw new BadMessageException($"{count} {what}, {limit} is the limit");
    }

    private static string Name(string text) =>
        text.Length is > 0 and <= MaxNameLength && EscapedText.IsPlain(text)
            ? text
            : throw new BadMessageException($"a name of {text.Length} characters, or with characters that cannot be shown");

    /// <summary>
    /// Cut, where it is too long, but never between the halves of a character; and escaped, where it could not be shown.
    /// </summary>
    private static string Short(string text)
    {
        if (text.Length > MaxReasonLength)
            text = text[..(char.IsHighSurrogate(text[MaxReasonLength - 1]) ? MaxReasonLength - 1 : MaxReasonLength)];
        return EscapedText.IsPlain(text) ? text : EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text));
    }
}

/// <summary>A message that no agent or client of this protocol sends. The peer is told; nobody else notices.</summary>
public sealed class BadMessageException(string reason) : Exception($"Bad message: {reason}.");
