using System.Runtime.InteropServices;
using System.Text;

namespace Telemetry.Protocol.Cli;

/// <summary>Prints, and leaves the terminal as it is.</summary>
/// <remarks>
/// <see cref="Console.Out"/>, <see cref="Console.Error"/> and their streams prepare the terminal for reading keys when they are first used: they switch
/// its keypad, and put its settings back at the end, for which the kernel stops a program in the background (SIGTTOU).
/// </remarks>
public static partial class PlainConsole
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>Of a terminal that does not say.</summary>
    private const int UsualWidth = 80;

    // TIOCGWINSZ of ioctl_tty(2) on x64 and arm64.
    private const nuint GetWindowSize = 0x5413;

    private const int Block = 0;                    // SIG_BLOCK
    private const ulong BackgroundOutput = 1UL << 21;   // SIGTTOU, 22, in a signal set

    /// <summary>Before anything is printed, and before any signal is registered for.</summary>
    public static void Use()
    {
        // Also for a signal handler the runtime puts the terminal's settings back, at each SIGCONT, which timeout(1) sends behind SIGTERM:
        // its thread inherits this mask, and who has the signal blocked is not stopped.
        var signals = new SignalSet { First = BackgroundOutput };
        _ = BlockSignals(Block, ref signals, 0);
        Console.SetOut(Writer(StandardOutput));
        Console.SetError(Writer(StandardError));
    }

    /// <summary>Columns of the terminal that standard output is.</summary>
    public static int Width =>
        Ioctl(StandardOutput, GetWindowSize, out var size) == 0 && size.Columns > 0 ? size.Columns
        : int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns > 0 ? columns
        : UsualWidth;

    private static StreamWriter Writer(int descriptor) => new(new PlainStream(descriptor), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };

    /// <summary>ioctl_tty(2); ENOTTY where there is no terminal.</summary>
    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int descriptor, nuint request, out WindowSize size);

    /// <summary>pthread_sigmask(3), of this thread and those that it makes.</summary>
    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int BlockSignals(int how, ref SignalSet set, nint old);

    /// <summary>sigset_t, of 1,024 bits in glibc; a smaller one of another library is its beginning.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct SignalSet
    {
        public ulong First;
    }

    /// <summary>struct winsize</summary>
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }
}
