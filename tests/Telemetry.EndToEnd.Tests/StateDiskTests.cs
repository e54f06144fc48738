using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The disk that holds the agent's state fails: the agent goes on from memory, says so and why, and returns to it.</summary>
public sealed class StateDiskTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _run = new();
    private readonly Installation _installation;
    private readonly List<string> _mounted = [];

    public StateDiskTests()
    {
        _installation = new Installation(agentSettings: """
            [state]
            return_after = "2s"
            """)
        {
            // The socket lies elsewhere than the state, as the shipped unit has it.
            AgentVia = ["/usr/bin/env", $"RUNTIME_DIRECTORY={_run.Path}"],
        };
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string State => _installation["agent"];

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting and watching need root");
        Directory.CreateDirectory(State);
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted.Count > 0)
        {
            if (_installation.Agent is { } agent)
                await agent.Kill();
            foreach (var device in _mounted)
                Shell.Run("/", $"umount '{device}'");
        }

        await _installation.DisposeAsync();
        _run.Dispose();
    }

    [Fact]
    public async Task FullDisk_ChangesAreToldFromMemory_UntilThereIsRoomAgain()
    {
        Mount("-t tmpfs -o mode=0700,size=32m tmpfs");
        await _installation.StartCertified();

        // Again and again: what the agent gives back must not be there for it.
        await using (RunningProgram.Start("/bin/sh", ["-c", $"while :; do cat /dev/zero >> '{State}/filling' 2> /dev/null; sleep 0.02; done"]))
        {
            await Eventually.True(() => new DriveInfo(State).AvailableFreeSpace == 0, "the disk to be full", Cancellation);
            await TellsFromMemory("meanwhile");
        }

        File.Delete(_installation["agent/filling"]);

        await ReturnsToTheDisk("meanwhile");
    }

    [Fact]
    public async Task DiskThatTurnsReadOnly_ChangesAreToldFromMemory_UntilItIsMended()
    {
        Shell.Run(_installation["."], "truncate -s 32M disk; mkfs.ext4 -q disk");
        Mount($"-o loop,errors=remount-ro '{_installation["disk"]}'");
        await _installation.StartCertified();

        // As after an error of the device: what is open can't be written to any more either.
        Shell.Run("/", $"echo broken > /sys/fs/ext4/$(basename $(findmnt -no SOURCE '{State}'))/trigger_fs_error");
        await TellsFromMemory("meanwhile");

        // The broken one is held by the agent, and so can't be mended in its place.
        Shell.Run(_installation["."], $"umount --lazy '{State}'; cp disk mended; e2fsck -fy mended > /dev/null 2>&1 || [ $? = 1 ]");
        _mounted.Clear();
        Mount($"-o loop '{_installation["mended"]}'");

        await ReturnsToTheDisk("meanwhile");
    }

    [Fact]
    public async Task DiskThatIsReadOnlyAtTheStart_IsUsedOnceItCanBeWrittenTo()
    {
        Mount("-t tmpfs -o ro,mode=0700,size=32m tmpfs");
        await _installation.StartCertified();

        await TellsFromMemory("meanwhile");
        Shell.Run("/", $"mount -o remount,rw '{State}'");

        await ReturnsToTheDisk("meanwhile");
    }

    /// <summary>A change is told though the state can't be kept, and the status says that and why.</summary>
    private async Task TellsFromMemory(string name)
    {
        await File.WriteAllTextAsync(Path.Combine(_installation.Watched, name), name, Cancellation);
        await _installation.Open($"added {Path.Combine(_installation.Watched, name)}");
        var status = await StatusWhere(isInMemory: true);
        Assert.NotEqual("", status.GetProperty("in_memory_reason").GetString());
        await Eventually.Get(
            async () => (await Ask("--output", "table")).Lines.FirstOrDefault(
                line => line.StartsWith("state ", StringComparison.Ordinal) && line.EndsWith("), all is kept in memory", StringComparison.Ordinal)),
            "the table to say so",
            Cancellation);
        await Logged("works from memory");
    }

    /// <summary>By itself, and goes on telling.</summary>
    private async Task ReturnsToTheDisk(string before)
    {
        var status = await StatusWhere(isInMemory: false);
        Assert.Equal(JsonValueKind.Null, status.GetProperty("in_memory_reason").ValueKind);
        await Logged("can be used again");
        Assert.True(File.Exists(_installation["agent/state.db"]));

        await File.WriteAllTextAsync(Path.Combine(_installation.Watched, "afterwards"), "afterwards", Cancellation);
        await _installation.Open($"added {Path.Combine(_installation.Watched, before)}", $"added {Path.Combine(_installation.Watched, "afterwards")}");
        Assert.DoesNotMatch("Unhandled exception|crit:|   at ", _installation.Agent.Log);
    }

    private Task Logged(string text) => Eventually.True(
        () => _installation.Agent.Log.Contains(text, StringComparison.Ordinal), text, Cancellation, () => _installation.Agent.Log);

    private void Mount(string what)
    {
        Shell.Run("/", $"mount {what} '{State}'");
        _mounted.Add(State);
    }

    private async Task<JsonElement> StatusWhere(bool isInMemory) => (JsonElement)await Eventually.Get(
        async () => await Ask() is { ExitCode: 0 } finished
            && JsonDocument.Parse(finished.Output).RootElement is var status
            && status.GetProperty("in_memory").GetBoolean() == isInMemory ? (object)status : null,
        isInMemory ? "the agent to work from memory" : "the agent to return to the disk",
        Cancellation,
        () => _installation.Agent.Log);

    private Task<Finished> Ask(params string[] arguments) => Finished.Run(
        Programs.Agent,
        ["status", "--config", _installation["agent.toml"], .. arguments],
        new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = _run.Path });
}
