using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Lines that go to the server in one request. What it does not take is halved, until it is known which lines it is.</summary>
internal sealed record PointParcel(IReadOnlyList<StoredPoints> Batches)
{
    public long LineCount => Batches.Sum(batch => batch.LineCount);

    /// <summary>The begin of the first line.</summary>
    public ReadOnlySpan<byte> FirstLine => Batches[0].Lines.Span[..LineProtocol.FirstLine(Batches[0].Lines.Span)];

    /// <returns>Null: it is one line.</returns>
    public (PointParcel First, PointParcel Second)? Halves()
    {
        if (Batches.Count > 1)
        {
            var middle = Batches.Count / 2;
            return (new PointParcel([.. Batches.Take(middle)]), new PointParcel([.. Batches.Skip(middle)]));
        }

        if (LineCount < 2)
            return null;

        var batch = Batches[0];
        var (lines, bytes) = (0L, 0);
        for (; lines < batch.LineCount / 2 && bytes < batch.Lines.Length; lines++)
            bytes += LineProtocol.FirstLine(batch.Lines.Span[bytes..]);
        return (
            new PointParcel([batch with { Lines = batch.Lines[..bytes], LineCount = lines }]),
            new PointParcel([batch with { Lines = batch.Lines[bytes..], LineCount = batch.LineCount - lines }]));
    }
}

/// <summary>What the server will never take.</summary>
internal sealed record RefusedParcel(PointParcel Parcel, RejectionReason Reason, string Words);
