using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

public sealed class PackageFileIndexTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly CountedFiles _source = new();

    private string Index => _folder["index"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Owners_OfAPath_AreAllThatWasRecorded()
    {
        var directory = new PackageFile(EntryKey.Of("rpm", "a", "x86_64"), EntryKey.OfPath("usr/bin")) { Type = FileType.Directory, Mode = 0x1ed };
        var file = new PackageFile(EntryKey.Of("rpm", "b", "x86_64"), EntryKey.OfPath("usr/bin"))
        {
            ListedAs = ByteText.Of("/bin"),
            IsConffile = true,
            MayBeMissing = true,
            Type = FileType.Symlink,
            User = ByteText.Of("root"),
            Group = ByteText.Of("bin"),
            Size = ulong.MaxValue,
            Target = ByteText.Of("usr/bin"),
            Digest = new PackageDigest("SHA256", ByteText.Of("digest")),
        };
        _source.Files.AddRange([directory, file]);

        using var index = Open();

        Assert.Equal([directory, file], index.Owners(EntryKey.OfPath("usr/bin")));
        Assert.Empty(index.Owners(EntryKey.OfPath("usr")));
    }

    [Fact]
    public void Open_OfTheSameState_DoesNotReadAgain()
    {
        Open().Dispose();
        Open().Dispose();
        Assert.Equal(1, _source.Reads);

        _source.Version++;
        Open().Dispose();
        Assert.Equal(2, _source.Reads);
    }

    [Fact]
    public void Open_OfADamagedFile_MakesItAnew()
    {
        File.WriteAllText(Index, new string('x', 10_000));
        _source.Files.Add(new PackageFile(EntryKey.Of("dpkg", "a", "all"), EntryKey.OfPath("a")));

        using var index = Open();

        Assert.Single(index.Owners(EntryKey.OfPath("a")));
    }

    [Fact]
    public void Open_AfterAMistake_KeepsTellingIt()
    {
        _source.Mistake = "it is broken";
        Open().Dispose();

        using var index = Open();

        Assert.Equal(["it is broken"], index.Mistakes);
        Assert.Equal(1, _source.Reads);
    }

    /// <summary>dpkg itself is asked about a sample: an index that knows less than dpkg misleads.</summary>
    [Fact]
    public void Owners_OnThisMachine_AreThoseOfDpkg()
    {
        Assert.SkipUnless(File.Exists("/var/lib/dpkg/status") || Environment.GetEnvironmentVariable("CI") is not null, "there is no dpkg here");
        var paths = Shell.Run("/", "cat /var/lib/dpkg/info/*.list | grep '^/usr/bin/' | sort -u | awk 'NR % 20 == 1' | head -n 50").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var dpkg = paths.ToDictionary(path => path, path => Shell.TryRun("/", "dpkg-query", "-S", path).Output);

        using var index = PackageFileIndex.Open(Index, [new DpkgFiles("/")], TestContext.Current.CancellationToken);

        Assert.Empty(index.Mistakes);
        foreach (var path in paths)
        {
            var owners = index.Owners(EntryKey.OfPath(path));
            Assert.NotEmpty(owners);
            Assert.All(owners, owner => Assert.Contains(KeyText.Format(EntryKind.Package, owner.Package.Bytes)[13..].Split(':')[0], dpkg[path]));
        }
    }

    private PackageFileIndex Open() => PackageFileIndex.Open(Index, [_source], TestContext.Current.CancellationToken);

    /// <summary>Packages of which a test knows everything.</summary>
    private sealed class CountedFiles : IPackageFiles
    {
        public string Manager => "rpm";

        public List<PackageFile> Files { get; } = [];

        public int Version { get; set; }

        public int Reads { get; private set; }

        public string? Mistake { get; set; }

        public Digest? State() => Digest.Of([(byte)Version]);

        public void Read(Predicate<EntryKey> wanted, Action<PackageFile> file, Action<string> mistake, CancellationToken cancellation)
        {
            Reads++;
            Files.ForEach(file);
            if (Mistake is not null)
                mistake(Mistake);
        }
    }
}
