using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Signing;

/// <summary>What is signed of a layer or baseline version, and of which versions a line accepts: all that it says, as bytes. Pure.</summary>
/// <remarks>
/// The format: fields in a fixed order, each behind its length in four big-endian bytes; the first names the format. Numbers have
/// eight big-endian bytes, times are milliseconds since 1970, roots come in the order file, package, setting, system. A version that is
/// composed says the digests of the statements of its base and its layers, so what signs it signs them.
/// </remarks>
internal static class Statement
{
    public static byte[] Of(Layer layer) => new Fields("telemetry layer 1")
        .Add(layer.Name.Line).Add(layer.Name.Version).Add(layer.Owner)
        .Add(layer.Before).Add(layer.After)
        .Add(layer.ClaimsText).Add(layer.CreatedAt)
        .ToArray();

    public static byte[] Of(BaselineStack stack, Baseline baseline)
    {
        var fields = new Fields("telemetry baseline 1")
            .Add(baseline.Name.Line).Add(baseline.Name.Version).Add(baseline.Owner)
            .Add(baseline.Roots).Add(baseline.Coverage.Scope.Digest).Add(StoredCoverage.Encode(baseline.Coverage))
            .Add(baseline.ObservedAt).Add(baseline.CreatedAt)
            .Add(baseline.BaseId is null ? "" : "composed");
        if (baseline.BaseId is not null)
            fields.Add(Digest.Of(Of(stack with { Layers = [] }, stack.Base)));
        fields.Add(stack.Layers.Length);
        foreach (var layer in stack.Layers)
            fields.Add(Digest.Of(Of(layer)));
        fields.Add(baseline.Resolutions.Count);
        foreach (var (key, winner) in baseline.Resolutions.OrderBy(settled => settled.Key, StringComparer.Ordinal))
            fields.Add(key).Add(winner);
        return fields.ToArray();
    }

    /// <summary>Of which versions of a line are accepted. Each says itself what it is.</summary>
    /// <param name="accepted">Newest first.</param>
    public static byte[] Of(string line, IReadOnlyList<Baseline> accepted)
    {
        var fields = new Fields("telemetry acceptance 1").Add(line).Add(accepted.Count);
        foreach (var baseline in accepted)
            fields.Add(baseline.Name.Version).Add(baseline.CreatedAt);
        return fields.ToArray();
    }

    private sealed class Fields
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(512);

        public Fields(string format) => Add(format);

        public Fields Add(string text) => Add(Encoding.UTF8.GetBytes(text));

        public Fields Add(DateTimeOffset time) => Add(time.ToUnixTimeMilliseconds());

        public Fields Add(Digest digest) => Add(digest.ToArray());

        public Fields Add(Roots roots)
        {
            foreach (var kind in EntryKinds.All)
                Add(roots[kind]);
            return this;
        }

        public Fields Add(long number)
        {
            var bytes = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(bytes, number);
            return Add(bytes);
        }

        public Fields Add(byte[] bytes)
        {
            BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(sizeof(int)), bytes.Length);
            _bytes.Advance(sizeof(int));
            _bytes.Write(bytes);
            return this;
        }

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
    }
}
