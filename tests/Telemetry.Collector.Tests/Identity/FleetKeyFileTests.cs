using Telemetry.Collector.Identity;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Identity;

public sealed class FleetKeyFileTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoadOrCreate_AtTheFirstStart_MakesAKeyForItsOwnerOnly()
    {
        var key = FleetKeyFile.LoadOrCreate(_folder.Path);

        Assert.Equal(key.ToText() + "\n", File.ReadAllText(_folder["fleet.key"]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["fleet.key"]));
        Assert.Equal(["fleet.key"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void LoadOrCreate_AtALaterStart_ReadsTheSame() =>
        Assert.Equal(FleetKeyFile.LoadOrCreate(_folder.Path).Id, FleetKeyFile.LoadOrCreate(_folder.Path).Id);

    [Fact]
    public void LoadOrCreate_AfterAStartThatWasCutOff_MakesAKey()
    {
        _folder.Write("fleet.key.partial", "abc");

        Assert.Equal(FleetKeyFile.LoadOrCreate(_folder.Path).ToText(), File.ReadAllText(_folder["fleet.key"]).Trim());
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret-that-is-no-key")]
    public void LoadOrCreate_AFileThatIsNoKey_IsLeftAndToldWithoutItsContent(string content)
    {
        _folder.Write("fleet.key", content);

        var refusal = Assert.Throws<StoreException>(() => FleetKeyFile.LoadOrCreate(_folder.Path));

        Assert.Contains("fleet.key", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-that", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(_folder["fleet.key"]));
    }

    [Theory]
    [InlineData(true, true, 1)]
    [InlineData(true, false, 0)]
    [InlineData(false, true, 0)]
    public async Task Check_AnotherKeyThanBefore_IsLoggedWhereThereAreStatesAndNeverTheKey(bool isOther, bool holdsStates, int logged)
    {
        using var collector = new Collector();
        if (holdsStates)
            _ = new CertifiedInstance(collector);
        var (first, second) = (FleetKey.Random(), FleetKey.Random());
        var log = new Lines<FleetKeyCheck>();
        await new FleetKeyCheck(collector.Store, first, log).StartAsync(TestContext.Current.CancellationToken);

        await new FleetKeyCheck(collector.Store, isOther ? second : first, log).StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(logged, log.All.Count);
        Assert.DoesNotContain(log.All, line => line.Text.Contains(first.ToText(), StringComparison.Ordinal) || line.Text.Contains(second.ToText(), StringComparison.Ordinal));
    }
}
