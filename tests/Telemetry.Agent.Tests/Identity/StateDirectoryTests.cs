using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Identity;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Identity;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string StatePath => _directory["state"];

    [Fact]
    public void Open_First_MakesAnIdentityThatLasts()
    {
        var first = Open("machine-a");

        Assert.Matches("^i-[0-9a-f]{17}$", first.InstanceId);
        Assert.Equal(first, Open("machine-a"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(StatePath));
    }

    [Fact]
    public void Open_OnAClone_SetsTheStateAsideAndTakesANewIdentity()
    {
        var original = Open("machine-a");
        _directory.Write("state/state.db", "old");

        var clone = Open("machine-b");

        Assert.NotEqual(original.InstanceId, clone.InstanceId);
        Assert.False(File.Exists(_directory["state/state.db"]));
        Assert.Equal("old", File.ReadAllText(_directory[$"state/evidence-{original.InstanceId}/state.db"]));
        Assert.Equal(clone, Open("machine-b"));
    }

    [Fact]
    public void Open_MachineIdThatCannotBeRead_ConcludesNothing()
    {
        var original = Open("machine-a");

        Assert.Equal(original, Open(null));
        Assert.Equal(original, Open("machine-a"));
    }

    [Fact]
    public void Open_IdentityMadeWithoutMachineId_TakesItLater()
    {
        var original = Open(null);

        Assert.Equal(original.InstanceId, Open("machine-a").InstanceId);
        Assert.NotEqual(original.InstanceId, Open("machine-b").InstanceId);
    }

    [Fact]
    public void Open_DamagedIdentity_IsSetAside()
    {
        Open("machine-a");
        _directory.Write("state/identity.json", "{ not json");

        Open("machine-a");

        Assert.Equal("{ not json", File.ReadAllText(_directory["state/evidence-unknown/identity.json"]));
    }

    [Fact]
    public void Open_DirectoryThatIsInUse_IsRefused()
    {
        using var first = StateDirectory.Open(StatePath, "machine-a", NullLogger.Instance);

        var refusal = Assert.Throws<StateDirectoryInUseException>(() => StateDirectory.Open(StatePath, "machine-a", NullLogger.Instance));

        Assert.Contains(StatePath, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DirectoryThatCannotBeWritten_GivesAnIdentityAllTheSame()
    {
        var identity = StateDirectory.Open("/proc/no/such/directory", "machine-a", NullLogger.Instance).Identity;

        Assert.StartsWith("i-", identity.InstanceId);
    }

    public void Dispose() => _directory.Dispose();

    private InstanceIdentity Open(string? machineId)
    {
        using var directory = StateDirectory.Open(StatePath, machineId, NullLogger.Instance);
        return directory.Identity;
    }
}
