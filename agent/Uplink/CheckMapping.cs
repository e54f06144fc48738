using Google.Protobuf;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Spool;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>From what checks came to to what is said of them.</summary>
internal static class CheckMapping
{
    /// <summary>But for its number.</summary>
    public static byte[] Encode(CheckNews news)
    {
        var batch = new V1.CheckBatch();
        foreach (var change in news.Changes)
        {
            batch.Changes.Add(new V1.CheckChange
            {
                Check = ToMessage(change.Check),
                State = change.State switch
                {
                    CheckState.Ok => V1.CheckState.Ok,
                    CheckState.Warning => V1.CheckState.Warning,
                    CheckState.Critical => V1.CheckState.Critical,
                    _ => V1.CheckState.Unknown,
                },
                At = change.At.ToTimestamp(),
                Text = change.Text,
                DefinesService = change.Check.Check.DefinesService,
            });
        }

        if (news.Checks is { } checks)
        {
            batch.Roster = new V1.CheckRoster { At = news.At.ToTimestamp() };
            batch.Roster.Checks.AddRange(checks.Select(ToMessage));
        }

        return batch.ToByteArray();
    }

    public static V1.CheckBatch ToCheckBatch(this SpoolRecord record)
    {
        var batch = V1.CheckBatch.Parser.ParseFrom(record.Payload);
        batch.Epoch = record.Position.Epoch;
        batch.Sequence = record.Position.Sequence;
        return batch;
    }

    private static V1.CheckName ToMessage(DeclaredCheck check) =>
        new() { Layer = check.Layer, Name = check.Check.Name, Owner = check.Owner ?? "" };
}
