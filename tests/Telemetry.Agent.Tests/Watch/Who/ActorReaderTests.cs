using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Watch.Who;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch.Who;

/// <summary>A recorded tree of processes. The descriptor is of a real process: this one lives, and another has ended.</summary>
public sealed class ActorReaderTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly ActorReader _reader;
    private readonly int _alive;

    public ActorReaderTests()
    {
        _folder.Write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n");
        Directory.CreateDirectory(_folder["proc"]);
        _folder.Write("proc/loadavg", "0.00 0.00 0.00 1/100 500\n");
        Write(1, parent: 0, "/sbin/init");
        Write(40, parent: 1, "/usr/bin/bash");
        Write(50, parent: 40, "/usr/bin/vim");
        _reader = new ActorReader(_folder["proc"], new UserNames(_folder["root"], _clock), _clock);
        Assert.Equal(0, PidDescriptor.Open(Environment.ProcessId, out _alive));
    }

    public void Dispose()
    {
        _reader.Dispose();
        OpenFile.Close(_alive);
        _folder.Dispose();
    }

    [Fact]
    public void Read_ALivingProcess_HasItsFacts()
    {
        _folder.Write("proc/50/loginuid", "33");

        var actor = _reader.Read(50, _alive, 1);

        Assert.Equal(("/usr/bin/vim", true, false), (actor.Executable, actor.IsCertain, actor.HasExited));
        Assert.Equal((0u, "root", 33u, "www-data"), (actor.Uid, actor.User, actor.LoginUid, actor.LoginUser));
        Assert.Equal((40, "/usr/bin/bash", "ssh.service"), (actor.ParentPid, actor.ParentExecutable, actor.Unit));
        Assert.Equal(["vim", "--password=***"], actor.CommandLine);
    }

    [Fact]
    public void Read_WhereNobodyLoggedIn_HasNoLoginUser()
    {
        _folder.Write("proc/50/loginuid", "4294967295");

        Assert.Null(_reader.Read(50, _alive, 1).LoginUid);
    }

    [Fact]
    public void Read_AUserThatIsNew_HasItsNameAtOnce()
    {
        _reader.Read(50, _alive, 1);
        Write(60, parent: 1, "/bin/a", user: 1000);

        Assert.Equal("", _reader.Read(60, _alive, 2).User);
        File.AppendAllText(_folder["root/etc/passwd"], "me:x:1000:1000::/:/bin/sh\n");
        _reader.ExecSeen(60, 3);
        Assert.Equal("me", _reader.Read(60, _alive, 4).User);
    }

    [Fact]
    public void Read_AProcessThatIsGone_TellsNothingOfWhoHasItsPid()
    {
        Assert.Equal(new Actor(50) { HasExited = true }, _reader.Read(50, PidDescriptor.None, 1) with { CommandLine = new Actor(50).CommandLine });
        Assert.Equal("", _reader.Read(50, PidDescriptor.Failed, 1).Executable);
        Assert.False(_reader.Read(50, PidDescriptor.Failed, 1).HasExited);
        Assert.Equal(0, _reader.Read(0, PidDescriptor.None, 1).Pid);
    }

    [Fact]
    public void Read_AtTheEndOfABurst_KnowsWhoItWasUntilThePidMayBeAnothers()
    {
        var alive = _reader.Read(50, _alive, 1);

        Assert.Same(alive, _reader.Read(50, PidDescriptor.None, 2));
        _folder.Write("proc/loadavg", "0.00 0.00 0.00 1/100 49\n");
        Assert.Same(alive, _reader.Read(50, PidDescriptor.None, 3));
        _folder.Write("proc/loadavg", "0.00 0.00 0.00 1/100 50\n");
        Assert.True(_reader.Read(50, PidDescriptor.None, 4).HasExited);
    }

    [Fact]
    public void Read_AfterABurst_KnowsNothingOfWhoIsGone()
    {
        _reader.Read(50, _alive, 1);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True(_reader.Read(50, PidDescriptor.None, 2).HasExited);
    }

    [Fact]
    public void Read_InABurst_ReadsOnceUntilAnotherProcessHasThePid()
    {
        var first = _reader.Read(50, _alive, 1);

        Write(50, parent: 40, "/usr/bin/emacs");
        Assert.Same(first, _reader.Read(50, _alive, 2));
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Same(first, _reader.Read(50, _alive, 3));

        Write(50, parent: 40, "/usr/bin/emacs", started: 778);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal("/usr/bin/emacs", _reader.Read(50, _alive, 4).Executable);
    }

    [Fact]
    public void Read_OfAProcessThatBecameAnotherUser_HasTheNewOne()
    {
        _reader.Read(50, _alive, 1);

        Write(50, parent: 40, "/usr/bin/vim", user: 33);
        _clock.Advance(TimeSpan.FromMilliseconds(10));

        Assert.Equal("www-data", _reader.Read(50, _alive, 2).User);
    }

    [Fact]
    public void Read_AfterAnExec_ReadsAnewAndIsCertain()
    {
        _reader.Read(50, _alive, 1);

        Write(50, parent: 40, "/usr/bin/emacs");
        _reader.ExecSeen(50, 2);
        var actor = _reader.Read(50, _alive, 3);

        Assert.Equal(("/usr/bin/emacs", true), (actor.Executable, actor.IsCertain));
    }

    [Fact]
    public void Settled_WhenAnExecWasQueuedBehindTheChange_IsUncertain()
    {
        var actor = _reader.Read(50, _alive, 1);
        Assert.True(_reader.Settled(actor, 1).IsCertain);

        _reader.ExecSeen(50, 2);

        Assert.False(_reader.Settled(actor, 1).IsCertain);
        Assert.True(_reader.Settled(actor, 3).IsCertain);
    }

    [Fact]
    public void Read_WithoutAnExecutable_IsUncertain()
    {
        File.Delete(_folder["proc/50/exe"]);

        var actor = _reader.Read(50, _alive, 1);

        Assert.Equal(("", false, 0u), (actor.Executable, actor.IsCertain, actor.Uid));
    }

    private void Write(int pid, int parent, string executable, int user = 0, int started = 777)
    {
        var name = Path.GetFileName(executable);
        _folder.Write($"proc/{pid}/stat", $"{pid} (a ) b (c) S {parent} 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {started} 0 0");
        _folder.Write($"proc/{pid}/status", $"Name:\ta\nUid:\t999\t{user}\t999\t999\nGid:\t0\t0\t0\t0\n");
        _folder.Write($"proc/{pid}/cmdline", $"{name}\0--password=hunter2\0");
        _folder.Write($"proc/{pid}/cgroup", "0::/system.slice/ssh.service\n");
        File.Delete(_folder[$"proc/{pid}/exe"]);
        File.CreateSymbolicLink(_folder[$"proc/{pid}/exe"], executable);
    }
}
