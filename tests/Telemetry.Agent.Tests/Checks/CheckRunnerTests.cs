using System.Runtime.InteropServices;
using Telemetry.Agent.Checks;
using Telemetry.Protocol.Layers;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Checks;

/// <summary>Real plug-ins, of Debian's monitoring-plugins-basic, and programs that are none.</summary>
public sealed class CheckRunnerTests : IDisposable
{
    private const string Plugins = "/usr/lib/nagios/plugins/";

    private readonly TemporaryDirectory _directory = new();

    public CheckRunnerTests() => Shell.Run("/", $"chmod 755 '{_directory.Path}'");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Load_OfTheRealPlugin_HasThreeValuesWithTheirRanges()
    {
        var result = Run(Plugins + "check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000");

        Assert.Equal(CheckState.Ok, result.State);
        Assert.Contains("OK", result.Text);
        Assert.Equal(["load1", "load5", "load15"], result.Values.Select(value => value.Label));
        Assert.All(result.Values, value => Assert.Equal((1000.0, 2000.0, 0.0), (value.Warning!.Value.To, value.Critical!.Value.To, value.Min)));
        Assert.Equal(0, result.Malformed);
    }

    [Fact]
    public void Disk_OfTheRealPlugin_AgreesWithDf()
    {
        var result = Run(Plugins + "check_disk", "-w", "1%", "-c", "0%", "-p", "/");

        var root = Assert.Single(result.Values);
        Assert.Equal("/", root.Label);
        Assert.True(root.Max > 0, result.Text);
        Assert.True(root.Value <= root.Max, result.Text);
    }

    [Theory]
    [InlineData("0", "Ok")]
    [InlineData("1", "Warning")]
    [InlineData("2", "Critical")]
    [InlineData("3", "Unknown")]
    public void Dummy_OfTheRealPlugins_IsInTheStateItIsAskedFor(string code, string state)
    {
        var result = Run(Plugins + "check_dummy", code, "as asked | a=1");

        Assert.Equal(state, result.State.ToString());
        Assert.EndsWith(": as asked", result.Text);
    }

    [Fact]
    public void Tcp_OfTheRealPlugin_IsCriticalWhereNobodyListens()
    {
        var result = Run(Plugins + "check_tcp", "-H", "127.0.0.1", "-p", FreePort.Find().ToString(System.Globalization.CultureInfo.InvariantCulture), "-t", "5");

        Assert.Equal(CheckState.Critical, result.State);
    }

    [Fact]
    public void Program_RunsWithoutRights()
    {
        var script = "id -u; id -G; grep -E '^(NoNewPrivs|CapEff|CapPrm)' /proc/self/status; ulimit -d; ulimit -c; cat /proc/self/oom_score_adj; env | sort | grep -v -e '^PWD=' -e '^_=' -e '^SHLVL='";
        var result = Run("/bin/bash", "-c", $"{{ {script}; }} | tr '\\n\\t' '; '");

        var lines = result.Text.Split(';');
        if (Environment.IsPrivilegedProcess)
            Assert.Equal(["65534", "65534"], lines[..2]);
        Assert.Equal("NoNewPrivs: 1", lines[4]);
        Assert.All(lines[2..4], line => Assert.EndsWith(Environment.IsPrivilegedProcess ? " 0000000000000000" : "", line));
        Assert.Equal(["262144", "0", "1000"], lines[5..8]);
        Assert.Equal("LC_ALL=C", lines[8]);
        Assert.StartsWith("PATH=", lines[9]);
    }

    /// <summary>What this process may hand on to those that it starts, they do not get.</summary>
    [Fact]
    public async Task Program_OfAProcessWithCapabilitiesToHandOn_GetsNone()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root has some");
        (string Without, string AsWhoItIs) found = default;

        // Capabilities are a thread's own: they end with it.
        await Task.Factory.StartNew(
            () =>
            {
                HandOn(NetRaw);
                found = (Run("/bin/sh", "-c", Capabilities).Text, Own());
            },
            Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Assert.Equal("CapInh 0000000000000000 CapAmb 0000000000000000", found.Without);
        Assert.Equal("CapInh 0000000000000000 CapAmb 0000000000000000", found.AsWhoItIs);

        static string Own()
        {
            var output = new List<byte>();
            Agent.Linux.ChildProcess.Run("/bin/sh", ["-c", Capabilities], TimeSpan.FromSeconds(30), 1_000, bytes => output.AddRange(bytes), Cancellation, new Agent.Linux.ChildLimits(null, 256 << 20, 100));
            return System.Text.Encoding.ASCII.GetString([.. output]);
        }
    }

    [Fact]
    public async Task Check_WhoseFormerProcessDoesNotEnd_IsNotRunUntilItHas()
    {
        // A process that another one traces is there until that one takes note of its end: so does one that hangs in the kernel look.
        Shell.Run("/", $"chmod 777 '{_directory.Path}'");
        const string Traced = """
            use POSIX; my ($runs, $gate) = @ARGV; my $me = $$; pipe(R, W); open(my $f, '>>', $runs); syswrite($f, "run\n");
            if (!fork) {
              POSIX::setsid(); open(STDOUT, '>/dev/null'); open(STDERR, '>/dev/null');
              syswrite(W, syscall((POSIX::uname())[4] eq 'aarch64' ? 117 : 101, 0x4206, $me, 0, 0) == 0 ? 'y' : 'n');
              for (1..1200) { exit if -e $gate; select(undef, undef, undef, 0.1) }
              exit;
            }
            sysread(R, my $answer, 1); print "traced: $answer"; exit 0 if -e $gate; sleep 1000;
            """;
        var runner = new CheckRunner(Options);
        var check = Check("hangs", TimeSpan.FromSeconds(2), "/usr/bin/perl", "-e", Traced, _directory["runs"], _directory["gate"]);

        var first = runner.Run(check, Cancellation);
        var second = runner.Run(check, Cancellation);
        var other = runner.Run(Check("works", TimeSpan.FromSeconds(30), "/bin/echo", "fine"), Cancellation);
        var runsWhileItHung = await File.ReadAllLinesAsync(_directory["runs"], Cancellation);
        await File.WriteAllTextAsync(_directory["gate"], "", Cancellation);
        var third = second;
        await Eventually.True(() => (third = runner.Run(check, Cancellation)).State == CheckState.Ok, "it to run again", Cancellation, () => third.Text);

        Assert.Equal((CheckState.Unknown, "/usr/bin/perl took too long and was killed"), StateOf(first));
        Assert.Equal(CheckState.Unknown, second.State);
        Assert.Matches("^it was not run: process [0-9]+ of an earlier run was killed and does not end", second.Text);
        Assert.Equal((CheckState.Ok, "fine"), StateOf(other));
        Assert.Single(runsWhileItHung);
        await Eventually.True(() => Shell.Run("/", $"ps -o stat= --ppid {Environment.ProcessId} | grep '^Z' || true") == "", "it to be reaped", Cancellation);
    }

    [Fact]
    public void Program_EndsWithThisOneThoughItIsAnotherUsers()
    {
        // Whoever asks for the signal is who gets it: PR_GET_PDEATHSIG of prctl(2).
        var result = Run("/usr/bin/perl", "-MPOSIX", "-e", "my $s = pack('i', 0); syscall((POSIX::uname())[4] eq 'aarch64' ? 167 : 157, 2, $s, 0, 0, 0); print unpack('i', $s)");

        Assert.Equal((CheckState.Ok, "9"), StateOf(result));
    }

    [Fact]
    public void Program_ThatTakesTooLong_IsKilledWithItsChildren()
    {
        var started = TimeProvider.System.GetTimestamp();
        var result = Run(["/bin/sh", "-c", "sleep 1000 & echo OK; sleep 1000"], TimeSpan.FromSeconds(1));

        Assert.Equal((CheckState.Unknown, "/bin/sh took too long and was killed"), (result.State, result.Text));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Program_ThatWantsMoreMemoryThanItMayHave_IsUnknown()
    {
        var result = Run("/usr/bin/perl", "-e", "my $x = 'x' x (1 << 30); print 'OK'");

        Assert.Equal(CheckState.Unknown, result.State);
    }

    [Fact]
    public void Program_ThatWritesWithoutEnd_IsUnknown()
    {
        Assert.Equal((CheckState.Unknown, "/bin/cat wrote more than expected and was killed"), StateOf(Run("/bin/cat", "/dev/zero")));
    }

    [Fact]
    public void Program_ThatIsNotThere_SaysSo()
    {
        Assert.Equal((CheckState.Unknown, "/no/such can't be started: No such file or directory"), StateOf(Run("/no/such")));
    }

    [Fact]
    public void User_ThatIsNotThereOrIsRoot_RunsNothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "plug-ins run as this user, who is not root");
        var passwd = _directory.Write("passwd", "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nplug:x:1005:1006::/:/bin/sh\n");

        Assert.Null(Agent.Linux.ChildUser.Find("toor", passwd));
        Assert.Equal(new Agent.Linux.ChildUser(1005, 1006), Agent.Linux.ChildUser.Find("plug", passwd));
        var result = new CheckRunner(Options with { User = "no-such-user" }).Run(CheckResultTests.Some("x", null, "/bin/true"), TestContext.Current.CancellationToken);

        Assert.Equal(CheckState.Unknown, result.State);
        Assert.Contains("no user 'no-such-user'", result.Text);
    }

    [Fact]
    public void Layers_OfADirectory_GiveTheirChecksAndAMistakeTakesNoneFromOthers()
    {
        Layer("10-web.toml", "name = \"web\"\nowner = \"acme\"\n[[checks]]\nname = \"http\"\ncommand = [\"/bin/true\"]\ndefines_service = true\n");
        Layer("20-broken.toml", "name = \"db\"\n[[checks]]\nname = \"sql\"\ncommand = [\"relative\"]\n");
        Layer("30-writable.toml", "name = \"bad\"\n[[checks]]\nname = \"x\"\ncommand = [\"/bin/true\"]\n", mode: "0666");
        Layer("40-nameless.toml", "[[checks]]\nname = \"y\"\ncommand = [\"/bin/true\"]\ninterval = \"5m\"\n");
        File.CreateSymbolicLink(_directory["50-link.toml"], "/etc/passwd");
        Layer("55 (copy).toml", "[[checks]]\nname = \"z\"\ncommand = [\"/bin/true\"]\n");
        Layer("60-again.toml", "name = \"web\"\n[[checks]]\nname = \"http\"\ncommand = [\"/bin/false\"]\n");
        Layer("70-slow.toml", "name = \"slow\"\n[[checks]]\nname = \"x\"\ncommand = [\"/bin/true\"]\ninterval = \"1h\"\ntimeout = \"61s\"\n[[checks]]\nname = \"y\"\ncommand = [\"/bin/true\"]\ntimeout = \"60s\"\n");
        Layer("readme.txt", "no layer");

        var layers = LayerChecks.Read(_directory.Path);

        Assert.Equal(["web/http acme True", "40-nameless/y  False", "slow/y  False"], layers.Checks.Select(check => $"{check.Id} {check.Owner} {check.Check.DefinesService}"));
        Assert.Equal("/bin/true", layers.Checks[0].Check.Command[0]);
        Assert.Equal(6, layers.Mistakes.Count);
        Assert.Contains("absolute path of a program", layers.Mistakes[0]);
        Assert.Contains("30-writable.toml can be written to by others", layers.Mistakes[1]);
        Assert.Contains("50-link.toml is no regular file", layers.Mistakes[2]);
        Assert.Contains("a layer that says no name has that of its file, and '55 (copy)' is none", layers.Mistakes[3]);
        Assert.Contains("there is a check web/http in another file already", layers.Mistakes[4]);
        Assert.Contains("slow/x may take 61s; 60s is the most", layers.Mistakes[5]);
    }

    [Fact]
    public void Layers_OfADirectoryThatOthersMayWrite_GiveNoChecks()
    {
        Layer("web.toml", "[[checks]]\nname = \"http\"\ncommand = [\"/bin/true\"]\n");
        Shell.Run("/", $"chmod 777 '{_directory.Path}'");

        var layers = LayerChecks.Read(_directory.Path);

        Assert.Empty(layers.Checks);
        Assert.Contains("can be written to by others", Assert.Single(layers.Mistakes));
    }

    [Fact]
    public void Layers_WithoutADirectory_AreNone()
    {
        Assert.Empty(LayerChecks.Read(_directory["none"]).Mistakes);
    }

    private const string Capabilities = "grep -E 'Cap(Inh|Amb)' /proc/self/status | tr -d ':' | tr '\\n\\t' '  ' | sed 's/ $//'";
    private const int NetRaw = 13;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static DeclaredCheck Check(string name, TimeSpan timeout, params string[] command) =>
        new("web", null, new LayerCheck(name, [.. command], TimeSpan.FromSeconds(60), timeout));

    /// <summary>capset(2), then PR_CAP_AMBIENT of prctl(2): inheritable and ambient, in this thread.</summary>
    private static void HandOn(int capability)
    {
        var own = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("CapPrm", StringComparison.Ordinal)).Split('\t')[1];
        var permitted = Convert.ToUInt64(own, 16);
        uint[] data = [(uint)permitted, (uint)permitted, 1u << capability, (uint)(permitted >> 32), (uint)(permitted >> 32), 0];
        Assert.Equal(0, capset([0x20080522, 0], data));
        Assert.Equal(0, prctl(47, 2, (nuint)capability, 0, 0));
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int capset(uint[] header, uint[] data);

    [DllImport("libc", SetLastError = true)]
    private static extern int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);

    private static CheckOptions Options => new() { AreEnabled = true, Layers = "/none", User = "nobody", Memory = 256 << 20 };

    private static CheckResult Run(params string[] command) => Run(command, TimeSpan.FromSeconds(30));

    private static CheckResult Run(string[] command, TimeSpan timeout) => new CheckRunner(Options).Run(
        new DeclaredCheck("web", null, new LayerCheck("c", [.. command], TimeSpan.FromSeconds(60), timeout)), TestContext.Current.CancellationToken);

    private static (CheckState, string) StateOf(CheckResult result) => (result.State, result.Text);

    private void Layer(string name, string text, string mode = "0644") => Shell.Run("/", $"chmod {mode} '{_directory.Write(name, text)}'");
}
