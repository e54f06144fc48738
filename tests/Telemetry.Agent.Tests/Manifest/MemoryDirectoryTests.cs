using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Manifest;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class MemoryDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _parent = new();

    public void Dispose() => _parent.Dispose();

    [Fact]
    public void DeleteAbandoned_WhatAKilledAgentLeft_IsTakenAway()
    {
        Shell.Run(_parent.Path, "mkdir -m 0700 telemetry-agent-full telemetry-agent-empty; cd telemetry-agent-full; touch lock; echo state > state.db; echo log > state.db-wal");

        DeleteAbandoned();

        Assert.Empty(Left());
    }

    [Fact]
    public void DeleteAbandoned_WhatALiveAgentHolds_Stays()
    {
        using var live = MemoryDirectory.Create(_parent.Path);
        File.WriteAllText(Path.Combine(live.Path, "state.db"), "state");

        DeleteAbandoned();

        Assert.True(File.Exists(Path.Combine(live.Path, "state.db")));
    }

    /// <summary>Where everybody may write: links, what others may write to, other names, and what was never locked.</summary>
    [Theory]
    [InlineData("mkdir -m 0700 other; touch other/lock; ln -s other telemetry-agent-link", "other/lock")]
    [InlineData("mkdir telemetry-agent-open; chmod 0770 telemetry-agent-open; touch telemetry-agent-open/lock", "telemetry-agent-open/lock")]
    [InlineData("mkdir -m 0700 telemetry-other; touch telemetry-other/lock", "telemetry-other/lock")]
    [InlineData("mkdir -m 0700 telemetry-agent-unlocked; touch telemetry-agent-unlocked/state.db", "telemetry-agent-unlocked/state.db")]
    public void DeleteAbandoned_WhatIsNoAgents_Stays(string made, string file)
    {
        Shell.Run(_parent.Path, made);

        DeleteAbandoned();

        Assert.True(File.Exists(_parent[file]));
    }

    [Fact]
    public void DeleteAbandoned_WhatBelongsToAnotherUser_Stays()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "giving files away needs root");
        Shell.Run(_parent.Path, "mkdir -m 0700 telemetry-agent-theirs; touch telemetry-agent-theirs/lock; chown -R 1234 telemetry-agent-theirs");

        DeleteAbandoned();

        Assert.True(File.Exists(_parent["telemetry-agent-theirs/lock"]));
    }

    [Fact]
    public void Dispose_LeavesNothing()
    {
        var directory = MemoryDirectory.Create(_parent.Path);
        File.WriteAllText(Path.Combine(directory.Path, "state.db"), "state");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory.Path));

        directory.Dispose();

        Assert.Empty(Left());
    }

    private void DeleteAbandoned() => MemoryDirectory.DeleteAbandoned(_parent.Path, NullLogger.Instance);

    private string[] Left() => Directory.GetFileSystemEntries(_parent.Path);
}
