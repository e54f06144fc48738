using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Lines that go to the server in one request. What it does not take is halved, until it is known which lines it is.</summary>
internal sealed record PointParcel(IReadOnlyList<StoredPoints> Batches)
{
    public long LineCount => Batches.Sum(batch => batch.LineCount);

    public long Bytes => Batches.Sum(batch => (long)batch.Lines.Length);

    /// <summary>The instance whose lines they all are, empty: the collector itself; null: they are of several.</summary>
    public string? SoleOwner => Batches.All(batch => OwnerOf(batch) == OwnerOf(Batches[0])) ? OwnerOf(Batches[0]) : null;

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

    /// <summary>The lines of each instance together, in their order.</summary>
    public PointParcel ByOwner() => SoleOwner is null ? new PointParcel([.. Batches.OrderBy(OwnerOf, StringComparer.Ordinal)]) : this;

    /// <returns>The lines that look as if they were of the conflict, and the others; null: there are none of either.</returns>
    public (PointParcel Alike, PointParcel Others)? Divided(FieldConflict conflict)
    {
        var alike = new List<(int, string)>();
        var number = 0;
        foreach (var batch in Batches)
        {
            for (var at = 0; at < batch.Lines.Length; number++)
            {
                var length = LineProtocol.FirstLine(batch.Lines.Span[at..]);
                if (conflict.IsIn(batch.Lines.Span.Slice(at, length)))
                    alike.Add((number, ""));
                at += length;
            }
        }

        return alike.Count > 0 && Without(alike) is (var others, var lines) && others is not null
            ? (new PointParcel([.. lines.SelectMany(line => line.Line.Batches)]), others)
            : null;
    }

    /// <summary>Takes out the lines that a server names.</summary>
    /// <param name="named">By their place in the parcel, from 0; places that there are not are left alone.</param>
    /// <returns>The others, null if there are none, and each of those named.</returns>
    public (PointParcel? Others, IReadOnlyList<(PointParcel Line, string Words)> Named) Without(IReadOnlyList<(int Line, string Words)> named)
    {
        var words = new Dictionary<int, string>();
        foreach (var (line, said) in named)
            words.TryAdd(line, said);
        var rest = new List<StoredPoints>();
        var found = new List<(PointParcel, string)>();
        var number = 0;
        foreach (var batch in Batches)
        {
            // What lies between two that are named stays in one piece.
            var (begin, count, at) = (0, 0L, 0);
            while (at < batch.Lines.Length)
            {
                var length = LineProtocol.FirstLine(batch.Lines.Span[at..]);
                if (words.TryGetValue(number++, out var said))
                {
                    Keep(batch, begin, at, count);
                    found.Add((new PointParcel([batch with { Lines = batch.Lines.Slice(at, length), LineCount = 1 }]), said));
                    (begin, count) = (at + length, 0);
                }
                else
                {
                    count++;
                }

                at += length;
            }

            Keep(batch, begin, at, count);
        }

        return (rest.Count == 0 ? null : new PointParcel(rest), found);

        void Keep(StoredPoints batch, int from, int to, long count)
        {
            if (count > 0)
                rest.Add(batch with { Lines = batch.Lines[from..to], LineCount = count });
        }
    }

    private static string OwnerOf(StoredPoints batch) => batch.Owner?.InstanceId ?? "";
}

/// <summary>What the server will never take.</summary>
internal sealed record RefusedParcel(PointParcel Parcel, RejectionReason Reason, string Words);
