using System.Globalization;
using System.Security.Cryptography;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A tree made to break scanners, scanned by an agent that is not root.</summary>
public sealed class HostileTreeTests : IDisposable
{
    private const int Depth = 2000, Files = 200_000;

    // Twice what a scan of 375,000 ordinary entries may take.
    private const long MaxPeakKilobytes = 2 * 48 * 1024;

    /// <summary>Names of 255 bytes that are no text, in one directory; directories in each other; what must not be opened or waited for.</summary>
    private const string Make = """
        chmod 0755 .
        mkdir tree tree/many out && chmod 0777 out
        perl -e 'chdir "tree/many" or die $!; for my $i (1 .. 200000) { my $n = sprintf("%06d", $i); $n .= "\xff" x 244 . "\n\xff\n\xff\n"; open(my $f, ">", $n) or die "$n: $!" }'
        perl -e 'chdir "tree" or die $!; for (1 .. 2000) { mkdir "d" or die $!; chdir "d" or die $! } open(my $f, ">", "f") or die $!'
        mkfifo tree/fifo
        truncate -s 1T tree/sparse
        printf 'nobody may read this' > tree/unreadable && chmod 0600 tree/unreadable
        head -c 300000 /dev/zero | tr '\0' A > tree/busy && chmod 0644 tree/busy
        """;

    /// <summary>Fills a file with one letter after the other, again and again.</summary>
    private const string Churn = """
        open(my $f, "+<", $ARGV[0]) or die $!;
        for (my $i = 0; ; $i++) { seek($f, 0, 0); syswrite($f, chr(65 + $i % 26) x 300000); }
        """;

    // In memory: making that many names takes a disk half a minute.
    private readonly TemporaryDirectory _folder = new("/dev/shm");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Scan_OfAHostileTree_TellsTheTruthInLittleMemory()
    {
        await Finished.Succeed("/bin/bash", "-euc", $"cd '{_folder.Path}'; {Make}");
        var agent = await CopyAgent();
        await using var churn = RunningProgram.Start("/usr/bin/perl", ["-e", Churn, _folder["tree/busy"]]);

        var (user, arguments) = Environment.IsPrivilegedProcess
            ? ("/usr/bin/setpriv", new[] { "--reuid=65534", "--regid=65534", "--clear-groups", agent })
            : (agent, []);
        await using var scan = RunningProgram.Start(
            user,
            [.. arguments, "scan", "--root", _folder["tree"], "--out", _folder["out/m"], "--no-packages", "--no-settings"],
            new Dictionary<string, string> { ["HOME"] = "/tmp" });
        var peak = await PeakOf(scan);
        Assert.True(scan.ExitCode == 0, scan.Log);
        await churn.Kill();

        using var file = ManifestFile.Open(_folder["out/m"]);
        var entries = TreeReader.Entries(file, file.Head.Roots.File).ToDictionary(entry => entry.Key, entry => entry.Fingerprint);
        Assert.Equal(1 + 1 + Files + Depth + 1 + 4, entries.Count);
        Assert.Empty(file.Head.Coverage.Gaps);
        Assert.Equal(Files, entries.Count(entry => entry.Key.IsUnder(EntryKey.Of("many")) && entry.Value is { IsStable: true, Size: 0 }));
        Assert.Equal(FileType.Fifo, entries[EntryKey.Of("fifo")].Type);
        Assert.Equal(EntryState.Pending, entries[EntryKey.Of("sparse")].State);
        if (Environment.IsPrivilegedProcess)
            Assert.Equal(new Fingerprint { State = EntryState.Unreadable, Type = FileType.File, Mode = 0x180, Uid = 0, Gid = 0, Size = 20 }, entries[EntryKey.Of("unreadable")]);

        var busy = entries[EntryKey.Of("busy")];
        Assert.True(busy.State == EntryState.Unstable || IsOfOneLetter(busy.Content!.Value), "a digest of bytes that were never there together");
        Assert.True(peak is > 0 and <= MaxPeakKilobytes, $"{peak} kB");
    }

    private static bool IsOfOneLetter(Digest digest) => Enumerable.Range('A', 26).Any(letter =>
    {
        var content = new byte[300_000];
        content.AsSpan().Fill((byte)letter);
        return new Digest(SHA256.HashData(content)) == digest;
    });

    /// <summary>The programs may lie where another user can't read them.</summary>
    private async Task<string> CopyAgent()
    {
        await Finished.Succeed("/bin/bash", "-euc", $"mkdir '{_folder["program"]}'; cp '{Programs.Agent}' '{Programs.Folder}'/*.so '{_folder["program"]}'; chmod -R a+rX '{_folder["program"]}'");
        return _folder["program/telemetry-agent"];
    }

    /// <summary>The most memory that a program has had resident, read until it ends. In kB.</summary>
    private static async Task<long> PeakOf(RunningProgram program)
    {
        var peak = 0L;
        await Eventually.True(
            () =>
            {
                peak = Math.Max(peak, Resident(program.ProcessId));
                return program.HasEnded;
            },
            "the scan to end",
            Cancellation,
            () => program.Log);
        return peak;
    }

    private static long Resident(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;  // it ended meanwhile
        }
    }
}
