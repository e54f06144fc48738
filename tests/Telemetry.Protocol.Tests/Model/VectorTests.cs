using System.Globalization;
using System.Text.Json;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>The format is what <c>vectors.py</c> says it is: a second implementation, frozen.</summary>
public sealed class VectorTests
{
    private static readonly JsonDocument Vectors = Load();

    public static TheoryData<string> TreeNames => [.. Names("trees")];

    public static TheoryData<string> FingerprintNames => [.. Names("fingerprints")];

    [Fact]
    public void Format_OfTheVectors_IsTheOneWritten() =>
        Assert.Equal(TreeNode.Format, Vectors.RootElement.GetProperty("format").GetByte());

    [Theory, MemberData(nameof(TreeNames))]
    public void Tree_OfTheVector_HasItsNodesAndRoot(string name)
    {
        var vector = Find("trees", name);

        var tree = Entries(vector).Build();

        Assert.Equal(
            vector.GetProperty("nodes").EnumerateArray().Select(Line),
            tree.Nodes.OrderBy(node => node.Level).ThenBy(node => node.FirstKey, EntryMap.ByteOrder).Select(Line));
        Assert.Equal(vector.GetProperty("root").GetString(), tree.Root.ToString());
        Assert.Equal(vector.GetProperty("levels").GetInt32(), tree.Height);
    }

    [Theory, MemberData(nameof(TreeNames))]
    public void Tree_OfTheVector_HasItsBytes(string name)
    {
        var vector = Find("trees", name);

        var tree = Entries(vector).Build();

        foreach (var node in vector.GetProperty("nodes").EnumerateArray())
        {
            if (node.TryGetProperty("bytes", out var bytes))
            {
                var digest = Digest.Parse(node.GetProperty("digest").GetString()!);
                Assert.Equal(bytes.GetString(), Convert.ToHexStringLower(tree.Read(digest).Span));
            }
        }
    }

    [Theory, MemberData(nameof(FingerprintNames))]
    public void Fingerprint_OfTheVector_HasItsBytes(string name)
    {
        var vector = Find("fingerprints", name);
        var fingerprint = FingerprintOf(vector.GetProperty("attributes"));

        var bytes = fingerprint.Encode();

        Assert.Equal(vector.GetProperty("bytes").GetString(), Convert.ToHexStringLower(bytes));
        Assert.Equal(fingerprint, Fingerprint.Decode(bytes));
    }

    private static EntryMap Entries(JsonElement vector)
    {
        var map = new EntryMap();
        if (vector.TryGetProperty("entries", out var entries))
        {
            foreach (var entry in entries.EnumerateArray())
                map[Hex(entry.GetProperty("key"))] = Hex(entry.GetProperty("value"));
            return map;
        }

        var rule = vector.GetProperty("rule");
        var format = "d" + rule.GetProperty("width").GetInt32().ToString(CultureInfo.InvariantCulture);
        foreach (var number in rule.GetProperty("numbers").EnumerateArray().Select(element => element.GetInt32()))
        {
            byte[] key =
            [
                .. Hex(rule.GetProperty("prefix")),
                .. Some.Utf8(number.ToString(format, CultureInfo.InvariantCulture)),
                .. Hex(rule.GetProperty("suffix")),
            ];
            map[key] = new Fingerprint
            {
                Type = FileType.File,
                Mode = 0x1a4,
                Uid = 0,
                Gid = 0,
                Size = (ulong)number,
                Content = Digest.Of(key),
            }.Encode();
        }

        return map;
    }

    private static Fingerprint FingerprintOf(JsonElement attributes)
    {
        var fingerprint = new Fingerprint();
        foreach (var attribute in attributes.EnumerateObject())
            fingerprint = With(fingerprint, attribute.Name, attribute.Value);
        return fingerprint;
    }

    private static Fingerprint With(Fingerprint fingerprint, string name, JsonElement value) => name switch
    {
        "state" => fingerprint with { State = Enum.GetValues<EntryState>().Single(state => EntryWords.Of(state) == value.GetString()) },
        "type" => fingerprint with { Type = Enum.GetValues<FileType>().Single(type => EntryWords.Of(type) == value.GetString()) },
        "mode" => fingerprint with { Mode = value.GetUInt32() },
        "uid" => fingerprint with { Uid = value.GetUInt32() },
        "gid" => fingerprint with { Gid = value.GetUInt32() },
        "size" => fingerprint with { Size = value.GetUInt64() },
        "content" => fingerprint with { Content = new Digest(Hex(value)) },
        "keyed_content" => fingerprint with { KeyedContent = Keyed(value) },
        "target" => fingerprint with { Target = new ByteText(Hex(value)) },
        "target_digest" => fingerprint with { TargetDigest = new Digest(Hex(value)) },
        "device" => fingerprint with { Device = value.GetUInt64() },
        "xattrs" => fingerprint with { Xattrs = new Digest(Hex(value)) },
        "version" => fingerprint with { Version = new ByteText(Hex(value)) },
        "status" => fingerprint with { Status = new ByteText(Hex(value)) },
        "value" => fingerprint with { Value = new ByteText(Hex(value)) },
        "value_digest" => fingerprint with { ValueDigest = new Digest(Hex(value)) },
        "keyed_value" => fingerprint with { KeyedValue = Keyed(value) },
        _ => throw new InvalidDataException(name),
    };

    private static KeyedDigest Keyed(JsonElement value) => new(
        ulong.Parse(value.GetProperty("key_id").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        new Digest(Hex(value.GetProperty("digest"))));

    private static string Line(JsonElement node) => Line(
        node.GetProperty("level").GetInt32(),
        node.GetProperty("count").GetInt32(),
        node.GetProperty("length").GetInt32(),
        node.GetProperty("digest").GetString()!);

    private static string Line(EncodedNode node) => Line(node.Level, node.Count, node.Bytes.Length, node.Digest.ToString());

    private static string Line(int level, int count, int length, string digest) =>
        $"level {level}, {count} entries, {length} bytes, {digest}";

    private static IEnumerable<string> Names(string part) =>
        Vectors.RootElement.GetProperty(part).EnumerateArray().Select(vector => vector.GetProperty("name").GetString()!);

    private static JsonElement Find(string part, string name) =>
        Vectors.RootElement.GetProperty(part).EnumerateArray().Single(vector => vector.GetProperty("name").GetString() == name);

    private static byte[] Hex(JsonElement element) => Convert.FromHexString(element.GetString()!);

    private static JsonDocument Load()
    {
        using var stream = typeof(VectorTests).Assembly.GetManifestResourceStream("vectors.json")!;
        return JsonDocument.Parse(stream);
    }
}
