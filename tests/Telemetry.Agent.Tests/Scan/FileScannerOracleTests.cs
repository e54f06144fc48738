using System.Net.Sockets;
using System.Text;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

/// <summary>The scanner against find, stat and sha256sum, which know nothing of it.</summary>
public sealed class FileScannerOracleTests
{
    private const string OddThings = """
        mkdir -p plain/deep/er empty sticky
        printf hello > plain/file; printf '' > plain/nothing; head -c 65536 /dev/zero > plain/one-buffer; head -c 65537 /dev/zero > plain/more
        head -c 3000000 /dev/urandom > plain/deep/big
        printf x > $'new\nline'; printf y > $'bad-utf8-\xff\xfe'; printf z > $'back\\slash'; printf '\001' > $'control-\001'
        ln -s plain/file link; ln -s . plain/loop; ln -s /nowhere dangling; ln -s $'\xff' odd-target
        ln plain/file hard
        mkfifo fifo; chmod 4755 plain/file; chmod 2750 plain/deep; chmod 1777 sticky; chmod 0000 plain/more
        printf a > a; printf b > a.b; mkdir -p a-dir a-dir.d; printf c > a-dir/x
        """;

    [Fact]
    public void Scan_OddThings_AttributesAgreeWithFind()
    {
        using var directory = OddTree();

        var actual = Scans.Look(directory.Path).Entries(EntryKind.File)
            .Select(entry => Describe(entry.Key, entry.Fingerprint)).Order(StringComparer.Ordinal);

        // Sizes are of regular files only, and links have no mode.
        var find = Shell.Run(
            directory.Path,
            """find . \( -type f -printf '%P|%y|%m|%U|%G|%s|\0' \) -o \( -type l -printf '%P|%y||%U|%G||%l\0' \) -o -printf '%P|%y|%m|%U|%G||\0'""");
        Assert.Equal(find.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), actual);
    }

    [Fact]
    public void Scan_OddThings_DigestsAgreeWithSha256sum()
    {
        using var directory = OddTree();

        var actual = Scans.Look(directory.Path).Entries(EntryKind.File)
            .Where(entry => entry.Fingerprint.Type == FileType.File)
            .Select(entry => $"{entry.Fingerprint.Content}  ./{PathOf(entry.Key)}").Order(StringComparer.Ordinal);

        var sums = Shell.Run(directory.Path, "find . -type f -print0 | xargs -0 sha256sum -z");
        Assert.Equal(sums.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), actual);
    }

    [Fact]
    public void Scan_SparseFileOfFiveGigabytes_HasTheDigestOfItsZeros()
    {
        using var directory = new TemporaryDirectory();
        Shell.Run(directory.Path, "truncate -s 5G sparse; printf end | dd of=sparse bs=1 seek=5368709120 conv=notrunc status=none; printf mid | dd of=sparse bs=1M seek=2500 conv=notrunc status=none");

        var fingerprint = Scans.Look(directory.Path).Find("sparse")!;

        Assert.Equal(5368709123u, fingerprint.Size);

        // What sha256sum says of it, which takes that a quarter of a minute.
        Assert.Equal("cf8edd76d2e5c9eab382cc419186321391ec4390a5c8ee24a90ff8471ea29094", fingerprint.Content.ToString());
    }

    [Fact]
    public void Scan_Twice_GivesTheSameRoots()
    {
        using var directory = OddTree();

        Assert.Equal(Scans.Look(directory.Path).Sighting.Roots, Scans.Look(directory.Path).Sighting.Roots);
    }

    private static TemporaryDirectory OddTree()
    {
        var directory = new TemporaryDirectory();
        Shell.Run(directory.Path, OddThings);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(directory["socket"]));
        Shell.Run(directory.Path, "[ -S socket ] || python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'");
        return directory;
    }

    private static string Describe(EntryKey key, Fingerprint fingerprint)
    {
        var type = fingerprint.Type switch
        {
            FileType.File => 'f',
            FileType.Directory => 'd',
            FileType.Symlink => 'l',
            FileType.Fifo => 'p',
            FileType.Socket => 's',
            _ => '?',
        };
        var mode = fingerprint.Mode is { } bits ? Convert.ToString((int)bits, 8) : "";
        var target = fingerprint.Target is { } text ? Encoding.Latin1.GetString(text.Bytes) : "";
        return $"{PathOf(key)}|{type}|{mode}|{fingerprint.Uid}|{fingerprint.Gid}|{fingerprint.Size}|{target}";
    }

    private static string PathOf(EntryKey key) => Encoding.Latin1.GetString(key.Bytes).Replace('\0', '/');
}
