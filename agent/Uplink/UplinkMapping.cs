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
    // A collector takes 5,000 and 1 MiB; and all else that is told waits while one message is on its way.
    private const int MostPoints = 1_000;
    private const int MostBytes = 64 * 1024;

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

    /// <summary>What is sent of a sample, but for the messages' numbers: a machine with thousands of mounts has more than one message may have.</summary>
    /// <param name="host">Global tag of every point.</param>
    public static IEnumerable<HealthPart> Encode(this HealthSample sample, string host)
    {
        var time = sample.Time.ToTimestamp();
        if (sample.Points.Count == 0)
        {
            yield return new HealthPart(0, new HealthBatch { Time = time }.ToByteArray());
            yield break;
        }

        var batch = new HealthBatch();
        var bytes = 0;
        foreach (var point in sample.Points)
        {
            var message = ToMessage(point, time, host);
            var size = message.CalculateSize();
            if (batch.Points.Count == MostPoints || (batch.Points.Count > 0 && bytes + size > MostBytes))
            {
                yield return new HealthPart(batch.Points.Count, batch.ToByteArray());
                batch = new HealthBatch();
                bytes = 0;
            }

            batch.Points.Add(message);
            bytes += size;
        }

        yield return new HealthPart(batch.Points.Count, batch.ToByteArray());
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
