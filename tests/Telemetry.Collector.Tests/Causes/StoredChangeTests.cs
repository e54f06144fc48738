using Telemetry.Collector.Causes;

namespace Telemetry.Collector.Tests.Causes;

public sealed class StoredChangeTests
{
    private static readonly byte[] A = [1], B = [2];

    [Fact]
    public void ThatMade_OfSeveral_IsTheOneOfThisFingerprint()
    {
        StoredChange[] records = [Record(3, B), Record(2, []), Record(1, A)];

        Assert.Equal(1, StoredChange.ThatMade(A, records)!.Id);
        Assert.Equal(2, StoredChange.ThatMade(null, records)!.Id);
        Assert.Null(StoredChange.ThatMade([9], records));
    }

    [Fact]
    public void Overtaken_ByAHead_AreOnlyEarlierOnesOfAnotherState()
    {
        StoredChange[] records = [Record(4, B, seconds: 1), Record(3, B, seconds: 0), Record(2, [], seconds: -1), Record(1, A, seconds: -1)];

        Assert.Equal([2], StoredChange.Overtaken(A, Some.Time, records));
        Assert.Equal([1], StoredChange.Overtaken(null, Some.Time, records));
    }

    private static StoredChange Record(long id, byte[] fingerprint, int seconds = 0) =>
        new(id, fingerprint, Some.Time, Some.Time.AddSeconds(seconds), null, null, Membership.None);
}
