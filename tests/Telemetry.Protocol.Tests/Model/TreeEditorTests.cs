using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class TreeEditorTests
{
    [Fact]
    public void Apply_AKeyBehindARootThatEndsInABoundary_KeepsTheRootsEntries()
    {
        var map = new EntryMap { [Some.KeyWithBoundary("a")] = Some.Value() };
        var tree = map.Build();

        var edited = tree.Apply(new TreeEdit(Some.Utf8("b"), Some.Value()));

        Assert.Equal(map.With([new TreeEdit(Some.Utf8("b"), Some.Value())]).Build().Root, edited.Root);
    }

    [Fact]
    public void Apply_ABoundaryBeforeTheRoot_KeepsTheRootsEntries()
    {
        var map = new EntryMap { [Some.Utf8("b")] = Some.Value() };
        var edit = new TreeEdit(Some.KeyWithBoundary("a"), Some.Value());

        var edited = map.Build().Apply(edit);

        Assert.Equal(map.With([edit]).Build().Root, edited.Root);
    }

    [Fact]
    public void Apply_NothingToAnEmptyTree_CreatesNothing()
    {
        var edited = new EntryMap().Build().Apply(new TreeEdit(Some.Utf8("a"), null));

        Assert.Equal(EncodedNode.Empty.Digest, edited.Root);
        Assert.Empty(edited.Created);
    }
}
