namespace Telemetry.Protocol.Model;

/// <summary>How changes of files come to be known, from best to worst. The numbers are stored: never change one.</summary>
public enum WatchMethod : byte
{
    /// <summary>Told by a later version than this one.</summary>
    Unknown = 0,

    /// <summary>The kernel tells every change of the filesystem, and a rename as one.</summary>
    Fanotify = 1,

    /// <summary>The same, with the two names of a rename told apart (before Linux 5.17).</summary>
    FanotifyWithoutRename = 2,

    /// <summary>The kernel tells the changes in each directory that was looked at.</summary>
    Inotify = 3,

    /// <summary>The same of some directories; changes in others are found by periodic scans.</summary>
    InotifyAndScans = 4,

    /// <summary>The kernel tells nothing: changes are found by periodic scans.</summary>
    Scans = 5,
}

public static class WatchMethods
{
    /// <summary>The name people see.</summary>
    public static string Name(this WatchMethod method) => method switch
    {
        WatchMethod.Fanotify => "fanotify",
        WatchMethod.FanotifyWithoutRename => "fanotify_without_rename",
        WatchMethod.Inotify => "inotify",
        WatchMethod.InotifyAndScans => "inotify_and_scans",
        WatchMethod.Scans => "scans",
        _ => "unknown",
    };
}

/// <summary>A filesystem, as far as it lies below a prefix, and how its changes come to be known.</summary>
/// <param name="Reason">Why not better, for people; empty when there is nothing better.</param>
public sealed record WatchedPart(EntryKey Prefix, WatchMethod Method, string Reason);
