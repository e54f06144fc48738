using System.Globalization;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class StoredStateTests : IDisposable
{
    private readonly Collector _collector = new();

    public StoredStateTests() => _ = new CertifiedInstance(_collector);

    private DateTimeOffset Now => _collector.Time.GetUtcNow();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("bogus", "is no time")]
    [InlineData("2126-01-01T00:00Z", "is in the future")]
    public void Find_AtATimeThatCannotBe_IsAWrongQuestion(string time, string why)
    {
        var refusal = Assert.Throws<UnknownStateException>(() => Find($"i-1@{time}"));

        Assert.True(refusal.IsWrongQuestion);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_BeforeTheFirstState_IsAQuestionWithoutAnAnswer() =>
        Assert.False(Assert.Throws<UnknownStateException>(() => Find("i-1@2000-01-01")).IsWrongQuestion);

    [Fact]
    public void Find_AtThisVerySecond_IsTheNewestState() =>
        Assert.Equal(Find("i-1").Roots, Find($"i-1@{Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}").Roots);

    private StoredState Find(string name) => _collector.Store.Read(transaction => StoredState.Find(transaction, name, Now));
}
