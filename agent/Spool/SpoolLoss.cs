namespace Telemetry.Agent.Spool;

/// <summary>Numbers are in the files: never change one.</summary>
internal enum LossCause : uint
{
    /// <summary>Newer records took the place.</summary>
    Full = 1,

    /// <summary>What was written could not be read again.</summary>
    Damaged = 2,

    /// <summary>A collector said that it has no use for them.</summary>
    NotWanted = 3,
}

/// <summary>What will never be sent.</summary>
/// <param name="Hour">Since 1970, UTC.</param>
/// <param name="Units">Points, or changes.</param>
internal readonly record struct SpoolLoss(long Hour, LossCause Cause, ulong Units);
