using Telemetry.Collector.Storage;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Storage;

public sealed class DataDirectoryTests
{
    [Fact]
    public void Claim_OfOneThatIsInUse_SaysThatAnotherCollectorHasIt()
    {
        using var folder = new TemporaryDirectory();
        using var first = DataDirectory.Claim(folder["data"]);

        var refusal = Assert.Throws<StoreException>(() => DataDirectory.Claim(folder["data"]));

        Assert.Equal($"Another collector runs on the data directory {folder["data"]}; stop that one, or set data_directory.", refusal.Message);
    }

    [Fact]
    public void Claim_OfOneThatCannotBeMade_SpeaksOfNoOtherCollector()
    {
        var refusal = Assert.Throws<StoreException>(() => DataDirectory.Claim("/proc/x"));

        Assert.StartsWith("The data directory /proc/x cannot be ", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("collector", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }
}
