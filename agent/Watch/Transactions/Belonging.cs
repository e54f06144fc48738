namespace Telemetry.Agent.Watch.Transactions;

/// <summary>How a process stands to the package managers that hold the locks.</summary>
internal enum Belonging
{
    /// <summary>It is none of theirs.</summary>
    Outside,

    /// <summary>It holds a lock, or descends from one that does: dpkg, its maintainer scripts and their children.</summary>
    Member,

    /// <summary>It was gone before its parents could be read. In a transaction most such are children of maintainer scripts.</summary>
    Unknown,
}
