namespace Telemetry.Collector.TimeSeries;

/// <summary>Why no time-series store takes a point. Numbers are in the store: never change one.</summary>
internal enum RejectionReason
{
    /// <summary>None, or one that 64 bits of nanoseconds do not hold.</summary>
    WrongTime = 1,

    /// <summary>NaN or infinite, all of its fields.</summary>
    NotFinite = 2,

    /// <summary>Names that the line protocol cannot carry; or a point whose series was not named, or has other fields.</summary>
    WrongName = 3,

    NoFields = 4,

    /// <summary>The server refused the line.</summary>
    RefusedByServer = 5,

    /// <summary>A text of more than 64 KiB, or a line that the server does not take at all.</summary>
    TooBig = 6,

    /// <summary>The server took nothing for too long: newer ones took its place.</summary>
    QueueFull = 7,

    /// <summary>There are as many series as may be: of new ones none is taken.</summary>
    TooManySeries = 16,

    /// <summary>What brought them is nothing that an agent makes: too many at once, or no time.</summary>
    NotReadable = 17,
}
