using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

[Properties(Arbitrary = [typeof(FingerprintTests)], MaxTest = 500)]
public sealed class FingerprintTests
{
    [Property]
    public void Decode_OfAnyEncodedFingerprint_GivesItBack(Fingerprint fingerprint)
    {
        var bytes = fingerprint.Encode();

        var decoded = Fingerprint.Decode(bytes);

        Assert.Equal(fingerprint, decoded);
        Assert.Equal(fingerprint.GetHashCode(), decoded.GetHashCode());
        Assert.Equal(bytes, decoded.Encode());
    }

    [Property]
    public void Encode_OfTwoFingerprints_IsTheSameOnlyForEqualOnes(Fingerprint left, Fingerprint right) =>
        Assert.Equal(left == right, left.Encode().AsSpan().SequenceEqual(right.Encode()));

    [Property(MaxTest = 100)]
    public void Decode_OfDamagedBytes_RefusesOrReadsExactlyThose(Fingerprint fingerprint)
    {
        var bytes = fingerprint.Encode();
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.Equal(damaged, Fingerprint.Decode(damaged).Encode());
            }
            catch (NotCanonicalException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
        }
    }

    [Property]
    public void Decode_OfAnyBytes_RefusesOrReadsExactlyThose(byte[] bytes)
    {
        try
        {
            Assert.Equal(bytes, Fingerprint.Decode(bytes).Encode());
        }
        catch (NotCanonicalException refusal)
        {
            Assert.NotEmpty(refusal.Message);
        }
    }

    [Theory]
    [InlineData("0041036162634205")]
    [InlineData("000201 0481 01 40 00 ff 00")]
    public void Decode_OfAttributesOfALaterVersion_KeepsThem(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

        var fingerprint = Fingerprint.Decode(bytes);

        Assert.NotNull(fingerprint.Unknown);
        Assert.Equal(bytes, fingerprint.Encode());
        Assert.NotEqual(fingerprint, Fingerprint.Decode(bytes.AsSpan(0, 1)));
    }

    [Theory]
    [InlineData("", "nothing at all")]
    [InlineData("04", "a state that is none")]
    [InlineData("0002", "a tag without a value")]
    [InlineData("000200", "file type zero")]
    [InlineData("000208", "a file type that is none")]
    [InlineData("0004808001", "a mode of more than 12 bits")]
    [InlineData("00068080808010", "a uid of more than 32 bits")]
    [InlineData("000a8100", "a number in a longer form")]
    [InlineData("0006000400", "tags out of order")]
    [InlineData("0006000600", "a tag twice")]
    [InlineData("0042004100", "later tags out of order")]
    [InlineData("000000", "tag zero")]
    [InlineData("0001", "tag one")]
    [InlineData("001400", "a number's tag below 0x40 that is none")]
    [InlineData("001500", "a text's tag below 0x40 that is none")]
    [InlineData("000b020102", "a digest of two bytes")]
    [InlineData("000d020102", "a keyed digest of two bytes")]
    [InlineData("000f056162", "a text longer than the bytes")]
    [InlineData("0041056162", "a later text longer than the bytes")]
    public void Decode_OfWrongBytes_Refuses(string hex, string what)
    {
        Assert.NotEmpty(what);
        Assert.Throws<NotCanonicalException>(() => Fingerprint.Decode(Convert.FromHexString(hex)));
    }

    [Fact]
    public void Decode_OfATextThatShouldBeADigest_Refuses() =>
        Assert.Throws<NotCanonicalException>(() => Fingerprint.Decode([0, 0x0f, 0x80, 0x02, .. new byte[256]]));

    [Fact]
    public void Decode_OfMoreBytesThanAFingerprintHas_Refuses() =>
        Assert.Throws<NotCanonicalException>(() => Fingerprint.Decode([0, 0x41, 0xfd, 0x03, .. new byte[509]]));

    [Fact]
    public void Encode_OfWhatNobodyReads_Refuses()
    {
        Assert.Throws<InvalidOperationException>(() => new Fingerprint { Mode = 0x1000 }.Encode());
        Assert.Throws<InvalidOperationException>(() => new Fingerprint { Version = new ByteText(new byte[256]) }.Encode());
        Assert.Throws<InvalidOperationException>(() =>
            new Fingerprint { Version = new ByteText(new byte[255]), Status = new ByteText(new byte[255]) }.Encode());
    }

    [Fact]
    public void WithTarget_OfALongTarget_KeepsItsDigest()
    {
        var link = new Fingerprint { Type = FileType.Symlink };

        Assert.Equal(255, link.WithTarget(new byte[255]).Target!.Value.Bytes.Length);
        Assert.Null(link.WithTarget(new byte[256]).Target);
        Assert.Equal(Digest.Of(new byte[256]), link.WithTarget(new byte[256]).TargetDigest);
        Assert.Equal(Digest.Of(new byte[256]), link.WithValue(new byte[256]).ValueDigest);
    }

    public static Arbitrary<Fingerprint> Arbitrary() => Arb.From(Some());

    /// <summary>Every attribute may be there or not; texts are short enough for all of them to fit.</summary>
    private static Gen<Fingerprint> Some() =>
        from state in Gen.Elements(Enum.GetValues<EntryState>())
        from type in Maybe(Gen.Elements(Enum.GetValues<FileType>()))
        from mode in Maybe(Gen.Choose(0, 0xfff).Select(value => (uint)value))
        from uid in Maybe(Number().Select(value => (uint)value))
        from gid in Maybe(Number().Select(value => (uint)value))
        from size in Maybe(Number())
        from content in Maybe(DigestGen())
        from keyedContent in Maybe(Keyed())
        from target in Maybe(Text())
        from device in Maybe(Number())
        from xattrs in Maybe(DigestGen())
        from version in Maybe(Text())
        from status in Maybe(Text())
        from value in Maybe(Text())
        from valueDigest in Maybe(DigestGen())
        from keyedValue in Maybe(Keyed())
        select new Fingerprint
        {
            State = state,
            Type = type,
            Mode = mode,
            Uid = uid,
            Gid = gid,
            Size = size,
            Content = content,
            KeyedContent = keyedContent,
            Target = target,
            Device = device,
            Xattrs = xattrs,
            Version = version,
            Status = status,
            Value = value,
            ValueDigest = valueDigest,
            KeyedValue = keyedValue,
        };

    private static Gen<T?> Maybe<T>(Gen<T> gen)
        where T : struct =>
        Gen.OneOf(Gen.Constant<T?>(null), gen.Select(value => (T?)value));

    private static Gen<ulong> Number() =>
        from high in Gen.Elements(0UL, 0UL, 1UL, 0x7fff_ffffUL, 0xffff_ffffUL)
        from low in Gen.OneOf(Gen.Elements(0, 1, 127, 128, 16383, 16384, int.MaxValue, -1), Gen.Choose(0, int.MaxValue))
        select high << 32 | (uint)low;

    private static Gen<Digest> DigestGen() => Gen.Choose(0, 5).Select(seed => Digest.Of(BitConverter.GetBytes(seed)));

    private static Gen<KeyedDigest> Keyed() =>
        from key in Number()
        from digest in DigestGen()
        select new KeyedDigest(key, digest);

    private static Gen<ByteText> Text() =>
        from length in Gen.Choose(0, 40)
        from bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), length)
        select new ByteText(bytes);
}
