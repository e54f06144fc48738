using Google.Protobuf;
using Telemetry.Agent.Health;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Spool;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Telemetry.Agent.Uplink;

/// <summary>From what the agent knows to what it says.</summary>
internal static class UplinkMapping
{
    /// <param name="withScope">Whether the scope's digest was not told on this stream before.</param>
    /// <param name="pushed">Nodes that follow unasked.</param>
    public static Head ToMessage(this Announcement announcement, bool withScope, int pushed)
    {
        var head = announcement.Head;
        return new Head
        {
            Epoch = head.Position.Epoch,
            Sequence = head.Position.Sequence,
            Roots = head.Roots.ToMessage(),
            Coverage = head.Coverage.ToMessage(withScope),
            ObservedAt = head.ObservedAt.ToTimestamp(),
            ObservedAfter = announcement.ObservedAfter?.ToTimestamp(),
            Pushed = (uint)pushed,
        };
    }

    /// <summary>What is sent of a sample, but for its number.</summary>
    /// <param name="host">Global tag of every point.</param>
    public static byte[] Encode(this HealthSample sample, string host)
    {
        var time = sample.Time.ToTimestamp();
        var batch = new HealthBatch();
        batch.Points.AddRange(sample.Points.Select(point => ToMessage(point, time, host)));
        if (sample.Points.Count == 0)
            batch.Time = time;
        return batch.ToByteArray();
    }

    public static HealthBatch ToMessage(this SpoolRecord record)
    {
        var batch = HealthBatch.Parser.ParseFrom(record.Payload);
        batch.Epoch = record.Position.Epoch;
        batch.Sequence = record.Position.Sequence;
        batch.Collected = record.Collected;
        batch.Losses.AddRange(record.Losses.Select(loss => new Loss
        {
            Hour = DateTimeOffset.FromUnixTimeSeconds(loss.Hour * 3600).ToTimestamp(),
            Points = loss.Units,
            Reason = loss.Cause switch
            {
                LossCause.Full => LossReason.SpoolFull,
                LossCause.NotWanted => LossReason.NotWanted,
                _ => LossReason.SpoolDamaged,
            },
        }));
        return batch;
    }

    public static HeadPosition Watermark(this Welcome welcome) => new(welcome.Epoch, welcome.Sequence);

    private static Point ToMessage(HealthPoint point, Timestamp time, string host)
    {
        var message = new Point { Measurement = point.Measurement, Time = time };
        message.Tags.Add("host", host);
        foreach (var tag in point.Tags)
            message.Tags[tag.Name] = tag.Value;
        foreach (var field in point.Fields)
        {
            message.Fields.Add(field switch
            {
                { Float: { } number } => new Field { Name = field.Name, FloatValue = number },
                { Text: { } text } => new Field { Name = field.Name, StringValue = text },
                _ => new Field { Name = field.Name, IntValue = field.Integer.GetValueOrDefault() },
            });
        }

        return message;
    }
}
