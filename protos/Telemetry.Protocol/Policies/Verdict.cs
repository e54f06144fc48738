namespace Telemetry.Protocol.Policies;

/// <summary>What can be said of two fingerprints of one entry.</summary>
public enum Verdict
{
    /// <summary>As closely as the policy looks, there is no difference.</summary>
    Equal,

    Different,

    /// <summary>What was looked for could not be read in one state on at least one side: nothing is concluded.</summary>
    Unread,

    /// <summary>Digests of a secret under different keys, or only one of them keyed; everything else is equal: nothing is concluded.</summary>
    OtherKey,
}
