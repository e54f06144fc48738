namespace Telemetry.Protocol.Model;

/// <summary>How far a fingerprint can be trusted. The numbers are part of the format.</summary>
public enum EntryState : byte
{
    /// <summary>Everything was read in one state.</summary>
    Stable = 0,

    /// <summary>Its content or attributes could not be read. What is given was.</summary>
    Unreadable = 1,

    /// <summary>It kept changing while it was read: no digest.</summary>
    Unstable = 2,

    /// <summary>Not read yet: no digest.</summary>
    Pending = 3,
}

/// <summary>What a file entry is. The numbers are part of the format.</summary>
public enum FileType : byte
{
    File = 1,
    Directory = 2,
    Symlink = 3,
    CharacterDevice = 4,
    BlockDevice = 5,
    Fifo = 6,
    Socket = 7,
}
