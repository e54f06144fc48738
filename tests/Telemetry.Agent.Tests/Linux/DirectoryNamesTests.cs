using Telemetry.Agent.Linux;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Linux;

public sealed class DirectoryNamesTests
{
    private const int Many = 30_000;

    [Fact]
    public void Read_MoreNamesThanMemoryIsFor_AreAllThereInOrder()
    {
        using var directory = new TemporaryDirectory();
        using var spill = new TemporaryDirectory();
        var expected = Fill(directory);

        var names = Read(directory.Path, spill.Path);

        Assert.Equal(expected, names);
        Assert.Empty(Directory.GetFileSystemEntries(spill.Path));
    }

    [Fact]
    public void Read_NowhereToSpill_KeepsThemInMemory()
    {
        using var directory = new TemporaryDirectory();
        var expected = Fill(directory);

        var names = Read(directory.Path, "/no/such/directory");

        Assert.Equal(expected, names);
    }

    [Fact]
    public void Read_EmptyDirectory_HasNone()
    {
        using var directory = new TemporaryDirectory();

        Assert.Empty(Read(directory.Path, directory.Path));
    }

    /// <summary>Names of more than 200 bytes each: some megabytes of them.</summary>
    private static List<string> Fill(TemporaryDirectory directory)
    {
        var names = Enumerable.Range(0, Many).Select(i => $"{i * 7919 % Many}-".PadRight(210, (char)('a' + i % 26))).ToList();
        foreach (var name in names)
            File.WriteAllBytes(directory[name], []);
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private static List<string> Read(string path, string spill)
    {
        var errno = OpenFile.Root([.. System.Text.Encoding.UTF8.GetBytes(path), 0], out var descriptor);
        Assert.Equal(0, errno);

        errno = DirectoryNames.Read(descriptor, new byte[64 * 1024], spill, out var names);
        OpenFile.Close(descriptor);
        Assert.Equal(0, errno);
        using (names)
        {
            var read = new List<string>();
            while (names.MoveNext())
                read.Add(System.Text.Encoding.UTF8.GetString(names.Current));
            return read;
        }
    }
}
