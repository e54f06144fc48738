using System.Runtime.InteropServices;

namespace Telemetry.Protocol.Cli;

/// <summary>A descriptor to print to, as it is. Where nobody reads any more, what is written is lost, as the console has it.</summary>
internal sealed partial class PlainStream(int descriptor) : WriteOnlyStream
{
    private const int Interrupted = 4;          // EINTR
    private const int TryAgain = 11;            // EAGAIN, of a descriptor that another program made non-blocking
    private const int BrokenPipe = 32;          // EPIPE
    private const short Writable = 0x0004;      // POLLOUT

    /// <summary>write(2), until all is written.</summary>
    /// <exception cref="IOException">It is full, or broken.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var written = Write(descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            var errno = Marshal.GetLastPInvokeError();
            if (errno == BrokenPipe)
                return;
            if (errno == TryAgain)
                WaitUntilWritable();
            else if (errno != Interrupted)
                throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
        }
    }

    private void WaitUntilWritable()
    {
        var polled = new PollDescriptor { Descriptor = descriptor, Asked = Writable };
        _ = Poll(ref polled, 1, -1);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    /// <summary>poll(2); EINTR counts as news.</summary>
    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    /// <summary>struct pollfd</summary>
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Returned;
    }
}
