using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Compare;

public sealed class StateComparisonTests
{
    private const string Conf = "/etc/security/limits.conf";

    private readonly FileTree _left = new();
    private readonly FileTree _right = new();

    [Fact]
    public void File_SharedSettingBySetting_IsComparedByItsSettings()
    {
        _left[Conf] = ContentBySettings.Of(Some.File());
        _left.Setting(Conf + "#web", "1").Setting(Conf + "#cache", "2");
        _right[Conf] = Some.File("web 1 cache 2");
        _right.Setting(Conf + "#web", "1").Setting(Conf + "#cache", "2");
        Assert.Empty(Differences());

        _right.Setting(Conf + "#cache", "3");
        Assert.Equal([$"setting:{Conf}#cache"], Differences());
    }

    [Fact]
    public void File_SharedSettingBySetting_OfAnotherMode_Differs()
    {
        _left[Conf] = ContentBySettings.Of(Some.File());
        _right[Conf] = Some.File(mode: 0b110_110_110);

        Assert.Equal([Conf], Differences());
    }

    [Fact]
    public void Order_OfASharedFile_IsCompared()
    {
        _left[Conf] = ContentBySettings.Of(Some.File());
        _left.Setting(Conf + "##order", "web, cache");
        _right[Conf] = Some.File("cache 2 web 1");
        _right.Setting(Conf + "##order", "cache, web");

        Assert.Equal([$"setting:{Conf}#\\x23order"], Differences());
    }

    [Fact]
    public void Order_OfAFileThatIsNotShared_IsCompared()
    {
        _left[Conf] = Some.File("a");
        _right[Conf] = Some.File("b");
        _right.Setting(Conf + "##order", "web cache");

        Assert.Equal([Conf, $"setting:{Conf}#\\x23order"], Differences());
    }

    /// <summary>Of one comparison; that of the other way round must find the same.</summary>
    private List<string> Differences()
    {
        var differences = Differences(_left, _right);
        Assert.Equal(differences, Differences(_right, _left));
        return differences;
    }

    private static List<string> Differences(FileTree left, FileTree right)
    {
        var nodes = new MemoryNodes();
        var (differences, leftOut) = StateComparison.Between(nodes, Keep(left), Keep(right), new CoverageOverlap(Some.SettingCoverage, Some.SettingCoverage));
        Assert.Null(leftOut);
        return [.. differences.Select(difference => KeyText.Format(difference.Kind, difference.Change.Key.Bytes))];

        Roots Keep(FileTree tree)
        {
            var (roots, built) = tree.Build();
            foreach (var (digest, bytes) in built)
                nodes.Add(new EncodedNode(digest, 0, 0, [], bytes));
            return roots;
        }
    }
}
