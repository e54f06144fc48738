using System.Diagnostics;
using System.Globalization;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

/// <summary>Real processes, which say their pid and wait until they are told to go on.</summary>
public sealed class RealActorTests : IDisposable
{
    private readonly ActorReader _reader = new("/proc", new UserNames("/", TimeProvider.System), TimeProvider.System);
    private readonly List<Process> _started = [];

    public void Dispose()
    {
        _reader.Dispose();
        foreach (var process in _started)
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }

    [Fact]
    public void Read_AShell_IsItWithItsParent()
    {
        var (pid, descriptor, _) = Start("sh", "-c", "echo $$; read x; exec sleep 600");

        var actor = _reader.Read(pid, descriptor, 1);

        Assert.True(actor.IsCertain);
        Assert.Contains(Path.GetFileName(actor.Executable), (string[])["dash", "bash"]);
        Assert.Equal(["sh", "-c", "echo $$; read x; exec sleep 600"], actor.CommandLine);
        Assert.Equal(Environment.ProcessId, actor.ParentPid);
        Assert.Equal(Environment.ProcessPath, actor.ParentExecutable);
        Assert.Equal((uint)Shell("id -u"), actor.Uid);
        Assert.Equal(actor.Executable, actor.ToMessage().Executable);
    }

    [Fact]
    public async Task Read_AShellThatRunsAnotherProgram_IsCertainOnlyAfterItsExecWasSeen()
    {
        var (pid, descriptor, process) = Start("sh", "-c", "echo $$; read x; exec sleep 600");
        var before = _reader.Read(pid, descriptor, 1);

        await process.StandardInput.WriteLineAsync("go");
        await Telemetry.Testing.Eventually.True(
            () => File.ReadAllText($"/proc/{pid}/comm") == "sleep\n", "the exec", TestContext.Current.CancellationToken);
        _reader.ExecSeen(pid, 2);
        var after = _reader.Read(pid, descriptor, 3);
        var late = _reader.Read(pid, descriptor, 1);

        Assert.False(_reader.Settled(before, 1).IsCertain);
        Assert.EndsWith("/sleep", after.Executable);
        Assert.True(after.IsCertain);
        Assert.EndsWith("/sleep", late.Executable);
        Assert.False(late.IsCertain);
    }

    [Fact]
    public async Task Read_AProcessThatEnded_SaysSoAndNothingElse()
    {
        var (pid, descriptor, process) = Start("sh", "-c", "echo $$; read x");

        await process.StandardInput.WriteLineAsync("go");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        var actor = _reader.Read(pid, descriptor, 1);
        Assert.Equal((true, false, "", null), (actor.HasExited, actor.IsCertain, actor.Executable, actor.Uid));
        Assert.True(_reader.Read(pid, PidDescriptor.None, 1).HasExited);
    }

    [Fact]
    public async Task Read_AProcessThatEndedInABurst_IsKnown()
    {
        var (pid, descriptor, process) = Start("sh", "-c", "echo $$; read x");
        var alive = _reader.Read(pid, descriptor, 1);

        await process.StandardInput.WriteLineAsync("go");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        // Unless the machine took longer than a burst lasts.
        var gone = _reader.Read(pid, descriptor, 2);
        Assert.True(gone.HasExited || gone == alive);
    }

    [Fact]
    public void Read_AUserThroughSu_IsTheUserNotRoot()
    {
        Assert.SkipUnless(Environment.UserName == "root" || Environment.GetEnvironmentVariable("CI") is not null, "su asks everybody but root");
        var (pid, descriptor, _) = Start("su", "-s", "/bin/sh", "nobody", "-c", "echo $$; read x; exec sleep 600");

        var actor = _reader.Read(pid, descriptor, 1);

        Assert.Equal((65534u, "nobody"), (actor.Uid, actor.User));
        Assert.EndsWith("/su", actor.ParentExecutable);
    }

    [Fact]
    public void Read_AUserWhoLoggedIn_IsToldBehindTheUser()
    {
        Assert.SkipUnless(
            (Environment.UserName == "root" && File.Exists("/proc/self/loginuid")) || Environment.GetEnvironmentVariable("CI") is not null,
            "only root may log somebody in, and only where the kernel audits");
        var (pid, descriptor, _) = Start("sh", "-c", "echo 65534 > /proc/self/loginuid 2>/dev/null; sh -c 'echo $$; read x'");

        var actor = _reader.Read(pid, descriptor, 1);

        Assert.SkipUnless(File.ReadAllText($"/proc/{pid}/loginuid") == "65534", "the kernel lets nobody log in here");
        Assert.Equal((0u, 65534u, "nobody"), (actor.Uid, actor.LoginUid, actor.LoginUser));
    }

    [Fact]
    public void Read_OfABurst_CostsLittle()
    {
        var (pid, descriptor, _) = Start("sh", "-c", "echo $$; read x");
        var first = _reader.Read(pid, descriptor, 1);

        var began = Telemetry.Testing.ProcessorTime.OfThisThread;
        for (var order = 2ul; order < 20_002; order++)
            _reader.Read(pid, descriptor, order);

        // A thousandth of this is what is measured; a reading for every event would take seconds.
        var took = Telemetry.Testing.ProcessorTime.OfThisThread - began;
        TestContext.Current.TestOutputHelper!.WriteLine($"{took.TotalMicroseconds / 20_000:f2} µs an event");
        Assert.NotNull(first.Uid);
        Assert.True(took < TimeSpan.FromSeconds(20));
    }

    private (int Pid, int Descriptor, Process Process) Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _started.Add(process);
        var pid = int.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        Assert.Equal(0, PidDescriptor.Open(pid, out var descriptor));
        return (pid, descriptor, process);
    }

    private static int Shell(string script) => int.Parse(Telemetry.Testing.Shell.Run("/", script), CultureInfo.InvariantCulture);
}
