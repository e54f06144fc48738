namespace Telemetry.Agent.Linux;

/// <summary>The error numbers this program tells apart: errno(3), the same on x64 and arm64.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;          // EPERM
    public const int NoEntry = 2;               // ENOENT
    public const int NoSuchProcess = 3;         // ESRCH
    public const int Interrupted = 4;           // EINTR
    public const int InputOutput = 5;           // EIO
    public const int NoSuchDevice = 6;          // ENXIO
    public const int Again = 11;                // EAGAIN
    public const int Access = 13;               // EACCES
    public const int NotADirectory = 20;        // ENOTDIR
    public const int Invalid = 22;              // EINVAL
    public const int TableFull = 23;            // ENFILE
    public const int TooManyOpen = 24;          // EMFILE
    public const int TooLarge = 27;             // EFBIG
    public const int NoSpace = 28;              // ENOSPC
    public const int BrokenPipe = 32;           // EPIPE
    public const int OutOfRange = 34;           // ERANGE
    public const int NotImplemented = 38;       // ENOSYS
    public const int Loop = 40;                 // ELOOP
    public const int NoData = 61;               // ENODATA
    public const int NotSupported = 95;         // EOPNOTSUPP
    public const int Stale = 116;               // ESTALE

    /// <summary>What was there is there no more.</summary>
    public static bool IsGone(int errno) => errno is NoEntry or NotADirectory or Stale or NoSuchProcess;

    public static bool IsDenied(int errno) => errno is Access or NotPermitted;

    /// <summary>The message of strerror(3), for people.</summary>
    public static string Text(int errno) => errno switch
    {
        Access or NotPermitted => "permission denied",
        TooManyOpen or TableFull => "too many open files",
        InputOutput => "input/output error",
        _ => System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno),
    };
}
