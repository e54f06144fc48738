using Telemetry.Collector.Fleet;
using Telemetry.Collector.Policies;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class InstanceNameTests : IDisposable
{
    private readonly Collector _collector = new();

    public InstanceNameTests() => _collector.Store.Write(transaction =>
    {
        transaction.Instances.Put(Some.Instance("i-1") with { Name = "web" });
        transaction.Instances.Put(Some.Instance("i-2") with { Name = "web" });
        transaction.Instances.Put(Some.Instance("i-3") with { Name = "db" });
        transaction.Instances.Put(Some.Instance("i-4") with { Name = "i-3" });
    });

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("i-1", "i-1")]
    [InlineData("db", "i-3")]
    [InlineData("i-3", "i-3")]   // what is an id is no name
    public void Instance_IsFoundByItsIdAndByANameThatOnlyItHas(string text, string id) => Assert.Equal(id, Find(text));

    [Fact]
    public void Name_ThatSeveralHave_IsRefusedWithTheirIds() =>
        Assert.Equal("2 instances are named 'web'; there are i-1, i-2. Say which by its id.", Refusal("web"));

    [Fact]
    public void Name_ThatNoneHas_IsRefusedWithThoseThereAre() => Assert.Equal(
        "There is no instance 'mail'; there are i-1 (web), i-2 (web), i-3 (db), i-4 (i-3). 'telemetryctl instances list' shows all.", Refusal("mail"));

    [Fact]
    public void KnownNames_OfMany_AreSome() =>
        Assert.Equal("there are 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 20 more", KnownNames.Some(Enumerable.Range(10, 30).Select(number => $"{number}")));

    private string Find(string text) => _collector.Store.Read(transaction => InstanceName.Find(transaction, text).Id);

    private string Refusal(string text) => Assert.Throws<UnknownInstanceException>(() => Find(text)).Message;
}
