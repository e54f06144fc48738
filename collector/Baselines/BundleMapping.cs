using System.Collections.Immutable;
using Google.Protobuf;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Baselines;

/// <summary>Bundles between messages and model. What a message may get wrong ends in <see cref="BadMessageException"/>.</summary>
internal static class BundleMapping
{
    public const uint Format = 1;

    private const int MaxLayers = 1_000;
    private const int MaxResolutions = 10_000;
    private const int MaxSignatures = 100;
    private const int MaxSignatureBytes = 256;
    private const int MaxTextLength = 1024 * 1024;

    /// <param name="nodes">How many go beside it.</param>
    public static V1.Bundle ToMessage(this Bundle bundle, int nodes)
    {
        var message = new V1.Bundle { Format = Format, Baseline = ToMessage(bundle.Baseline), Nodes = (ulong)nodes };
        if (bundle.Base is { } below)
            message.Base = ToMessage(below);
        message.Layers.AddRange(bundle.Layers.Select(ToMessage));
        return message;
    }

    public static Bundle ToModel(this V1.Bundle? message)
    {
        if (message?.Baseline is null)
            throw new BadMessageException("a bundle without a baseline");
        if (message.Format != Format)
            throw new BadMessageException($"a bundle of format {message.Format}; this version reads {Format}");
        Limit(message.Layers.Count, MaxLayers, "layers");
        if (message.Base is null && message.Layers.Count > 0)
            throw new BadMessageException("layers without a base");

        var baseline = ToModel(message.Baseline);
        return message.Base is null
            ? new Bundle(baseline, null, [])
            : new Bundle(baseline with { What = baseline.What with { BaseId = 0 } }, ToModel(message.Base), [.. message.Layers.Select(ToModel)]);
    }

    private static V1.BundledBaseline ToMessage(Signed<Baseline> signed)
    {
        var baseline = signed.What;
        var message = new V1.BundledBaseline
        {
            Name = baseline.Name.Line,
            Version = baseline.Name.Version,
            Owner = baseline.Owner,
            Manifest = new ManifestHead(baseline.Roots, baseline.Coverage, baseline.ObservedAt, baseline.Source).ToMessage(),
            CreatedAt = baseline.CreatedAt.ToTimestamp(),
        };
        message.Resolutions.Add(baseline.Resolutions);
        message.Signatures.AddRange(signed.Signatures.Select(ToMessage));
        return message;
    }

    private static V1.BundledLayer ToMessage(Signed<Layer> signed)
    {
        var layer = signed.What;
        var message = new V1.BundledLayer
        {
            Name = layer.Name.Line,
            Version = layer.Name.Version,
            Owner = layer.Owner,
            Before = layer.Before.ToMessage(),
            After = layer.After.ToMessage(),
            Claims = layer.ClaimsText,
            Source = layer.Source,
            CreatedAt = layer.CreatedAt.ToTimestamp(),
        };
        message.Signatures.AddRange(signed.Signatures.Select(ToMessage));
        return message;
    }

    private static V1.BundledSignature ToMessage(Signature signature) =>
        new() { KeyId = signature.KeyId, Signature = ByteString.CopyFrom(signature.Bytes) };

    private static Signed<Baseline> ToModel(V1.BundledBaseline message)
    {
        Limit(message.Resolutions.Count, MaxResolutions, "resolutions");
        var manifest = message.Manifest is null ? throw new BadMessageException("a baseline without a manifest") : message.Manifest.ToModel();
        var baseline = new Baseline(
            0, NameOf(message.Name, message.Version), manifest.Roots, manifest.Coverage, manifest.Source, 0, manifest.ObservedAt, message.CreatedAt.ToTime("created_at"))
        {
            Owner = OwnerOf(message.Owner),
            Resolutions = message.Resolutions.ToImmutableSortedDictionary(),
        };
        return new Signed<Baseline>(baseline, SignaturesOf(message.Signatures));
    }

    private static Signed<Layer> ToModel(V1.BundledLayer message) => new(
        new Layer(
            0,
            NameOf(message.Name, message.Version),
            OwnerOf(message.Owner),
            message.Before.ToModel(),
            message.After.ToModel(),
            Text(message.Claims),
            Shown(Text(message.Source)),
            message.CreatedAt.ToTime("created_at")),
        SignaturesOf(message.Signatures));

    private static ImmutableArray<Signature> SignaturesOf(IReadOnlyCollection<V1.BundledSignature> messages)
    {
        Limit(messages.Count, MaxSignatures, "signatures");
        foreach (var message in messages)
        {
            Limit(message.KeyId.Length, MaxSignatureBytes, "characters of a key's id");
            Limit(message.Signature.Length, MaxSignatureBytes, "bytes of a signature");
        }

        return [.. messages.Select(message => new Signature(Shown(message.KeyId), message.Signature.ToByteArray()))];
    }

    private static VersionName NameOf(string line, string version) =>
        VersionName.TryParse($"{line}:{version}") ?? throw new BadMessageException("a version whose name is none");

    private static string OwnerOf(string text) => VersionName.IsLine(text) ? text : throw new BadMessageException("an owner whose name is none");

    private static string Text(string text)
    {
        Limit(text.Length, MaxTextLength, "characters of text");
        return text;
    }

    private static string Shown(string text) => EscapedText.IsPlain(text) ? text : EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text));

    private static void Limit(int count, int limit, string what)
    {
        if (count > limit)
            throw new BadMessageException($"{count} {what}, {limit} is the limit");
    }
}
