using Telemetry.Protocol.Mapping;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class HelloMappingTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("/mnt/image", "/mnt/image")]
    [InlineData("", "/")]             // an older agent
    [InlineData("image", "/")]
    [InlineData("/mnt/\u001b[31m", "/")]
    public void Root_IsKeptAsFarAsItCanBeShown(string root, string expected)
    {
        new FakeAgent(_collector.NewStream()).Hello(root: root);

        Assert.Equal(expected, _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Root);
    }

    [Fact]
    public void Root_ThatIsNoPath_IsRefused() =>
        Assert.Throws<BadMessageException>(() => new FakeAgent(_collector.NewStream()).Hello(root: "/" + new string('a', 5_000)));
}
