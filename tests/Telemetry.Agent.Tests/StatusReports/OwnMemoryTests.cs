using Telemetry.Agent.StatusReports;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.StatusReports;

public sealed class OwnMemoryTests
{
    [Fact]
    public void ThisProcess_IsAsLargeAsTheRuntimeSays()
    {
        var memory = OwnMemory.Read();

        Assert.InRange(memory.Resident!.Value, Environment.WorkingSet / 2, Environment.WorkingSet * 2);
        Assert.True(memory.Peak >= memory.Resident);
    }

    [Fact]
    public void FileWithoutNumbers_IsUnknown()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["status"], "Name:\tagent\nVmRSS:\tmany kB\n");

        Assert.Equal(new MemoryStatus(null, null), OwnMemory.Read(folder["status"]));
    }
}
