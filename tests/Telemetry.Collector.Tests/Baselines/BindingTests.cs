using Telemetry.Collector.Baselines;

namespace Telemetry.Collector.Tests.Baselines;

public sealed class BindingTests
{
    [Fact]
    public void LineOf_SeveralRanks_InstanceWinsOverImageOverTag()
    {
        var instance = Some.Instance("i-1", ("role", "web")) with { Image = "ami-1" };
        Binding[] bindings =
        [
            Some.Binding(Selector.Tag, "role=web", "by-tag"),
            Some.Binding(Selector.Image, "ami-1", "by-image"),
            Some.Binding(Selector.Instance, "i-1", "by-instance"),
        ];

        Assert.Equal("by-instance", Binding.LineOf(instance, bindings).Line);
        Assert.Equal("by-image", Binding.LineOf(instance, bindings[..2]).Line);
        Assert.Equal("by-tag", Binding.LineOf(instance, bindings[..1]).Line);
        Assert.Null(Binding.LineOf(instance, []).Line);
    }

    [Fact]
    public void LineOf_TwoTagsForDifferentLines_IsATieThatNamesBoth()
    {
        var instance = Some.Instance("i-1", ("role", "web"), ("zone", "a"));

        var bound = Binding.LineOf(instance, [Some.Binding(Selector.Tag, "role=web", "shop"), Some.Binding(Selector.Tag, "zone=a", "edge")]);

        Assert.Null(bound.Line);
        Assert.Contains("edge and shop", bound.Tie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop:7", true)]
    [InlineData("shop:2.4.62-1~deb12u1", true)]
    [InlineData("shop", false)]
    [InlineData("shop:", false)]
    [InlineData(":7", false)]
    [InlineData("sh op:7", false)]
    [InlineData("shop:7\n", false)]
    public void BaselineName_OfText_IsReadOrRefused(string text, bool isName) =>
        Assert.Equal(isName, VersionName.TryParse(text) is not null);
}
