using FsCheck.Xunit;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Tests.Policies;

public sealed class ClosenessPropertyTests
{
    [Property(MaxTest = 1_000)]
    public void Ignore_WhateverChanges_YieldsNothing(int before, int after) =>
        Assert.Equal(Verdict.Equal, Of(before, after, Treatment.Ignore));

    [Property(MaxTest = 1_000)]
    public void Full_OfWhatWasRead_IsThePlainDifference(int before, int after)
    {
        var isSame = (Any(before)?.Encode()).AsSpan().SequenceEqual(Any(after)?.Encode());

        Assert.Equal(isSame ? Verdict.Equal : Verdict.Different, Of(before, after, Treatment.Full));
    }

    [Property(MaxTest = 1_000)]
    public void Treatment_OfWhatIsEqual_FindsNothing(int entry, Treatment treatment) =>
        Assert.Equal(Verdict.Equal, Of(entry, entry, treatment));

    [Property(MaxTest = 1_000)]
    public void Treatment_OtherThanFull_FindsNothingThatFullDoesNot(int before, int after, Treatment treatment)
    {
        if (Of(before, after, treatment) == Verdict.Different)
            Assert.Equal(Verdict.Different, Of(before, after, Treatment.Full));
    }

    private static Verdict Of(int before, int after, Treatment treatment) =>
        Closeness.Of((EntryKind)(1 + ((uint)before % 4)), Any(before), Any(after), treatment);

    /// <summary>Few values for each attribute, so that many pairs are equal in some and differ in others.</summary>
    private static Fingerprint? Any(int seed)
    {
        var random = new Random(seed);
        if (random.Next(8) == 0)
            return null;

        var isFile = random.Next(2) == 0;
        return new Fingerprint
        {
            Type = isFile ? (FileType)random.Next(1, 4) : null,
            Mode = isFile && random.Next(4) > 0 ? (uint)random.Next(2) : null,
            Uid = isFile ? (uint)random.Next(2) : null,
            Size = isFile ? (ulong)random.Next(3) : null,
            Content = isFile ? Digest.Of([(byte)random.Next(2)]) : null,
            Xattrs = random.Next(4) == 0 ? Digest.Of([(byte)random.Next(2)]) : null,
            Value = isFile ? null : ByteText.Of(random.Next(2) == 0 ? "no" : "yes"),
        };
    }
}
