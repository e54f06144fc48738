using System.Text.Json;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Protocol.Tests.Text;

public sealed class DifferenceViewTests
{
    private static readonly byte[] Folder = new Fingerprint { Type = FileType.Directory }.Encode();
    private static readonly byte[] Pipe = new Fingerprint { Type = FileType.Fifo }.Encode();

    [Fact]
    public void Json_OfAnAddedEntry_SaysThatNothingWasExpected() =>
        Assert.Equal(
            """{"key":"/run/x","kind":"file","change":"added","expected":null,"actual":{"key":"/run/x","kind":"file","state":"stable","type":"fifo"}}""",
            Json(new EntryChange(EntryKey.OfPath("/run/x"), null, Pipe)));

    [Fact]
    public void Change_OfBeforeAndAfter_IsItsWord()
    {
        var key = EntryKey.OfPath("/run/x");

        Assert.Equal("added", DifferenceView.Of(EntryKind.File, new EntryChange(key, null, Pipe)).Change);
        Assert.Equal("removed", DifferenceView.Of(EntryKind.File, new EntryChange(key, Pipe, null)).Change);
        Assert.Equal("changed", DifferenceView.Of(EntryKind.File, new EntryChange(key, Pipe, Folder)).Change);
    }

    private static string Json(EntryChange change) =>
        JsonSerializer.Serialize(DifferenceView.Of(EntryKind.File, change), ViewJson.Readable.DifferenceView);
}
