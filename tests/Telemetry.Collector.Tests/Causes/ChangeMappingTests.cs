using Google.Protobuf;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Causes;

public sealed class ChangeMappingTests
{
    [Fact]
    public void Batch_AtEveryLimit_IsTaken()
    {
        var batch = Batch();
        batch.Records.Clear();
        batch.Records.AddRange(Enumerable.Repeat(Record(), 1_000));
        batch.Actors.AddRange(Enumerable.Repeat(Changes.Vim, 199));
        batch.Records[999].Actor = 200;
        batch.Records[998].Key = ByteString.CopyFrom(new byte[4096]);
        batch.Records[997].Fingerprint = ByteString.CopyFrom(new byte[512]);
        batch.Transactions[0].Packages.AddRange(Enumerable.Repeat(Changes.Upgrade(), 1_999));
        batch.Actors[0].CommandLine.Clear();
        batch.Actors[0].CommandLine.Add(new string('x', 4096));

        var records = batch.ToModel();

        Assert.Equal(1_000, records.Count);
        Assert.Equal(2_000, records[0].Transaction!.Packages.Length);
    }

    [Theory]
    [InlineData("records")]
    [InlineData("actors")]
    [InlineData("transactions")]
    [InlineData("packages")]
    [InlineData("key")]
    [InlineData("fingerprint")]
    [InlineData("command line")]
    [InlineData("arguments")]
    [InlineData("executable")]
    [InlineData("user")]
    [InlineData("version")]
    [InlineData("actor's place")]
    [InlineData("transaction's place")]
    [InlineData("kind")]
    [InlineData("no time")]
    [InlineData("a time that is none")]
    public void Batch_BeyondALimit_IsRefused(string what)
    {
        var batch = Batch();
        switch (what)
        {
            case "records": batch.Records.AddRange(Enumerable.Repeat(Record(), 1_000)); break;
            case "actors": batch.Actors.AddRange(Enumerable.Repeat(Changes.Vim, 200)); break;
            case "transactions": batch.Transactions.AddRange(Enumerable.Repeat(batch.Transactions[0], 200)); break;
            case "packages": batch.Transactions[0].Packages.AddRange(Enumerable.Repeat(Changes.Upgrade(), 2_000)); break;
            case "key": batch.Records[0].Key = ByteString.CopyFrom(new byte[4097]); break;
            case "fingerprint": batch.Records[0].Fingerprint = ByteString.CopyFrom(new byte[513]); break;
            case "command line": batch.Actors[0].CommandLine.Add(new string('x', 4096)); break;
            case "arguments": batch.Actors[0].CommandLine.AddRange(Enumerable.Repeat("", 10_000)); break;
            case "executable": batch.Actors[0].Executable = new string('x', 20_000); break;
            case "user": batch.Actors[0].User = new string('x', 2_000); break;
            case "version": batch.Transactions[0].Packages[0].ToVersion = new string('x', 2_000); break;
            case "actor's place": batch.Records[0].Actor = 2; break;
            case "transaction's place": batch.Records[0].Transaction = uint.MaxValue; break;
            case "kind": batch.Records[0].Kind = (V1.Kind)9; break;
            case "no time": batch.Records[0].ObservedAt = null; break;
            default: batch.Records[0].ObservedAt.Seconds = long.MaxValue; break;
        }

        Assert.Throws<BadMessageException>(batch.ToModel);
    }

    [Fact]
    public void Texts_ThatNoTerminalShouldGet_AreEscaped()
    {
        var batch = Batch();
        batch.Actors[0].Executable = "/tmp/\u001b[31mvim";
        batch.Actors[0].CommandLine[0] = "a\nb";
        batch.Actors[0].User = "\u202eroot";
        batch.Actors[0].Unit = "ok.service";
        batch.Transactions[0].Packages[0].Name = "apa\u0007che";

        var record = Assert.Single(batch.ToModel());

        Assert.Equal("/tmp/\\x1b[31mvim", record.Actor!.Executable);
        Assert.Equal("a\\x0ab", record.Actor.CommandLine[0]);
        Assert.Equal("\\xe2\\x80\\xaeroot", record.Actor.User);
        Assert.Equal("ok.service", record.Actor.Unit);
        Assert.Equal("apa\\x07che", record.Transaction!.Packages[0].Name);
    }

    [Fact]
    public void Membership_OfALaterAgent_ProvesNothing()
    {
        var batch = Batch();
        batch.Records[0].Membership = (V1.Membership)99;

        Assert.Equal(Membership.None, Assert.Single(batch.ToModel()).Membership);
    }

    private static V1.ChangeBatch Batch() =>
        new Changes().By(Changes.Vim).In(Changes.Upgrade()).Made("/etc/hosts", Some.File(), V1.Membership.Verified).ToBatch();

    private static V1.ChangeRecord Record() => Batch().Records[0];
}
