using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Linux;

public sealed class ChildProcessTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _output = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Run_OfAProgram_GivesItsOutputErrorAndCode()
    {
        var end = Run("echo out; echo first >&2; echo last >&2; exit 3");

        Assert.Equal((ChildOutcome.Exited, 3), (end.Outcome, end.Code));
        Assert.Equal("out\n", _output.ToString());
        Assert.Equal("first\nlast\n", Encoding.UTF8.GetString(end.Error));
        Assert.Equal("/bin/sh ended with 3: last", end.Trouble);
    }

    [Fact]
    public void Run_OfTrue_IsSuccess()
    {
        Assert.True(ChildProcess.Run("/bin/true", [], Long, 0, Take, Cancellation).IsSuccess);
    }

    [Fact]
    public void Run_PassesArgumentsAsTheyAre()
    {
        ChildProcess.Run("/usr/bin/printf", ["%s|", "a b", "$HOME", "", "ü;"], Long, 1000, Take, Cancellation);

        Assert.Equal("a b|$HOME||ü;|", _output.ToString());
    }

    [Fact]
    public void Run_SurroundsTheChildWithNothingOfOurs()
    {
        Run("env | grep -v -e ^PWD= -e ^_= | sort; cat; grep -E '^Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$ | tr -d ' '; echo $$");

        var lines = _output.ToString().TrimEnd().Split('\n');
        Assert.Equal(["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"], lines[..2]);
        Assert.All(lines[2..4], line => Assert.EndsWith("\t0000000000000000", line));
        Assert.Equal(lines[5], lines[4]);
    }

    [Fact]
    public void Run_GivesTheChildNoDescriptorOfOurs()
    {
        using var directory = new TemporaryDirectory();
        using var file = new FileStream(directory["open"], FileMode.Create);

        ChildProcess.Run("/bin/ls", ["-l", "/proc/self/fd"], Long, 10_000, Take, Cancellation);

        Assert.Contains("0 -> /dev/null", _output.ToString());
        Assert.DoesNotContain(directory.Path, _output.ToString());
    }

    [Fact]
    public async Task Run_TooLong_KillsTheWholeGroup()
    {
        using var directory = new TemporaryDirectory();

        var end = Run($"sleep 1000 & echo $! > '{directory["pid"]}'; sleep 1000", timeout: TimeSpan.FromSeconds(1));

        Assert.Equal(ChildOutcome.TimedOut, end.Outcome);
        await Ends(directory["pid"]);
    }

    [Fact]
    public void Run_OfAnyProgram_EndsWithThisOne()
    {
        // Whoever asks for the signal is who gets it: PR_GET_PDEATHSIG of prctl(2).
        var end = ChildProcess.Run(
            "/usr/bin/perl", ["-MPOSIX", "-e", "my $s = pack('i', 0); syscall((POSIX::uname())[4] eq 'aarch64' ? 167 : 157, 2, $s, 0, 0, 0); print unpack('i', $s)"], Long, 1000, Take, Cancellation);

        Assert.True(end.IsSuccess, end.Trouble);
        Assert.Equal("9", _output.ToString());
    }

    [Fact]
    public async Task Run_ThatLeavesSomebodyBehind_EndsThatToo()
    {
        using var directory = new TemporaryDirectory();

        var end = Run($"sleep 1000 > /dev/null 2>&1 & echo $! > '{directory["pid"]}'");

        Assert.True(end.IsSuccess);
        await Ends(directory["pid"]);
    }

    [Fact]
    public void Run_ThatClosesItsOutputAndStays_IsKilledInTime()
    {
        var end = Run("exec >&- 2>&-; sleep 1000", timeout: TimeSpan.FromSeconds(1));

        Assert.Equal(ChildOutcome.TimedOut, end.Outcome);
    }

    [Fact]
    public void Run_WithoutEndToItsOutput_IsKilledAtTheLimit()
    {
        var end = Run("cat /dev/zero", maxOutput: 1_000_000);

        Assert.Equal(ChildOutcome.TooMuchOutput, end.Outcome);
        Assert.InRange(_output.Length, 1, 1_000_000);
    }

    [Fact]
    public void Run_ManyErrors_KeepsTheFirstAndDoesNotHang()
    {
        var end = Run("head -c 1000000 /dev/zero >&2; echo done");

        Assert.Equal(4096, end.Error.Length);
        Assert.Equal("done\n", _output.ToString());
    }

    [Fact]
    public void Run_KilledBySomebody_SaysTheSignal()
    {
        var end = Run("kill -TERM $$");

        Assert.Equal((ChildOutcome.Signalled, 15), (end.Outcome, end.Code));
    }

    [Theory]
    [InlineData("/no/such/program", Errno.NoEntry)]
    [InlineData("/etc/passwd", Errno.Access)]
    public void Run_WhatIsNoProgram_IsNotStarted(string program, int errno)
    {
        var end = ChildProcess.Run(program, [], Long, 0, Take, Cancellation);

        Assert.Equal((ChildOutcome.NotStarted, errno), (end.Outcome, end.Code));
    }

    [Fact]
    public void Run_CalledOff_KillsAndThrows()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Assert.Throws<OperationCanceledException>(() => ChildProcess.Run(
            "/bin/sh", ["-c", "echo begun; sleep 1000"], Long, 1000, _ => source.Cancel(), source.Token));
    }

    [Fact]
    public async Task Run_ManyTimes_LeavesNoDescriptorAndNoZombie()
    {
        Run("true");
        var before = Descriptors();

        for (var i = 0; i < 50; i++)
            Run("true");

        // Tests beside this one open files, too; but they close them again.
        await Eventually.True(() => Descriptors() <= before + 20, "the descriptors to be closed", Cancellation, () => $"{Descriptors()} after {before}");

        // And those that they started are zombies until somebody gets to asking for their end; one test beside this one has one for a while.
        var zombies = "";
        await Eventually.True(
            () => (zombies = Shell.Run("/", $"ps -o stat=,args= --ppid {Environment.ProcessId} | grep '^Z' || true")) == "", "the processes to be gone", Cancellation, () => zombies);

        static int Descriptors() => Directory.GetFiles("/proc/self/fd").Length;
    }

    private ChildEnd Run(string script, TimeSpan? timeout = null, long maxOutput = 1_000_000) =>
        ChildProcess.Run("/bin/sh", ["-c", script], timeout ?? Long, maxOutput, Take, Cancellation);

    private void Take(ReadOnlySpan<byte> bytes) => _output.Append(Encoding.UTF8.GetString(bytes));

    /// <summary>A killed process ends when it comes to run again; a zombie waits for whoever inherited it.</summary>
    private static Task Ends(string file) => Eventually.True(
        () => Shell.Run("/", $"ps -o stat= -p $(cat '{file}') | grep -v '^Z' || true") == "", "the killed process to end", Cancellation);
}
