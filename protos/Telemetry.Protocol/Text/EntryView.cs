using System.Globalization;
using System.Text.Json.Serialization;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Text;

/// <summary>An entry as people and programs read it: the JSON of <c>show</c>, of deviations and of webhooks.</summary>
public sealed record EntryView
{
    public required string Key { get; init; }

    public required string Kind { get; init; }

    public required string State { get; init; }

    public string? Type { get; init; }

    /// <summary>Four octal digits, as <c>stat -c %04a</c> prints them.</summary>
    public string? Mode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }

    /// <summary>Bytes.</summary>
    public ulong? Size { get; init; }

    public string? Digest { get; init; }

    /// <summary>Escaped like a key.</summary>
    public string? Target { get; init; }

    public string? TargetDigest { get; init; }

    /// <summary><c>major:minor</c></summary>
    public string? Device { get; init; }

    public string? Xattrs { get; init; }

    public string? Version { get; init; }

    public string? Status { get; init; }

    public string? Value { get; init; }

    public string? KeyedDigest { get; init; }

    public string? KeyId { get; init; }

    /// <summary>What is worth showing in one cell, e.g. <c>file 0755 0:0 132 B 5891b5b522d5</c>.</summary>
    [JsonIgnore]
    public string Summary => string.Join(' ', Parts());

    public static EntryView Of(EntryKind kind, EntryKey key, Fingerprint fingerprint) => new()
    {
        Key = KeyText.Format(kind, key.Bytes),
        Kind = kind.Name(),
        State = EntryWords.Of(fingerprint.State),
        Type = fingerprint.Type is { } type ? EntryWords.Of(type) : null,
        Mode = fingerprint.Mode is { } mode ? ModeText(mode) : null,
        Uid = fingerprint.Uid,
        Gid = fingerprint.Gid,
        Size = fingerprint.Size,
        Digest = (fingerprint.Content ?? fingerprint.ValueDigest)?.ToString(),
        Target = fingerprint.Target?.ToString(),
        TargetDigest = fingerprint.TargetDigest?.ToString(),
        Device = fingerprint.Device is { } device ? DeviceText(device) : null,
        Xattrs = fingerprint.Xattrs?.ToString(),
        Version = fingerprint.Version?.ToString(),
        Status = fingerprint.Status?.ToString(),
        Value = fingerprint.Value?.ToString(),
        KeyedDigest = (fingerprint.KeyedContent ?? fingerprint.KeyedValue)?.Digest.ToString(),
        KeyId = (fingerprint.KeyedContent ?? fingerprint.KeyedValue)?.KeyId.ToString("x16", CultureInfo.InvariantCulture),
    };

    public static EntryView? Of(V1.Entry? entry) => entry is null ? null : new()
    {
        Key = entry.Key,
        Kind = entry.Kind.ToModel().Name(),
        State = entry.State,
        Type = entry.HasType ? entry.Type : null,
        Mode = entry.HasMode ? ModeText(entry.Mode) : null,
        Uid = entry.HasUid ? entry.Uid : null,
        Gid = entry.HasGid ? entry.Gid : null,
        Size = entry.HasSize ? entry.Size : null,
        Digest = entry.HasDigest ? Hex(entry.Digest) : null,
        Target = entry.HasTarget ? EscapedText.Of(entry.Target.Span) : null,
        TargetDigest = entry.HasTargetDigest ? Hex(entry.TargetDigest) : null,
        Device = entry.HasDevice ? DeviceText(entry.Device) : null,
        Xattrs = entry.HasXattrs ? Hex(entry.Xattrs) : null,
        Version = entry.HasVersion ? entry.Version : null,
        Status = entry.HasStatus ? entry.Status : null,
        Value = entry.HasValue ? entry.Value : null,
        KeyedDigest = entry.HasKeyedDigest ? Hex(entry.KeyedDigest) : null,
        KeyId = entry.HasKeyId ? Hex(entry.KeyId) : null,
    };

    private static string ModeText(uint mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    private static string DeviceText(ulong device) => $"{device >> 32}:{device & uint.MaxValue}";

    private static string Hex(Google.Protobuf.ByteString bytes) => Convert.ToHexStringLower(bytes.Span);

    private IEnumerable<string> Parts()
    {
        if (State != "stable")
            yield return State;
        if (Type is not null)
            yield return Type;
        if (Mode is not null)
            yield return Mode;
        if (Uid is not null)
            yield return $"{Uid}:{Gid}";
        if (Size is not null)
            yield return $"{Size} B";
        if (Target is not null)
            yield return "-> " + Target;
        if (Device is not null)
            yield return Device;
        if (Version is not null)
            yield return Version;
        if (Status is not null and not "install ok installed")
            yield return $"({Status})";
        if (Value is not null)
            yield return Value;
        if ((Digest ?? KeyedDigest ?? TargetDigest) is { } digest)
            yield return Beginning(digest);
        if (Xattrs is not null)
            yield return "xattrs " + Beginning(Xattrs);
    }

    private static string Beginning(string digest) => digest.Length > 12 ? digest[..12] : digest;
}
