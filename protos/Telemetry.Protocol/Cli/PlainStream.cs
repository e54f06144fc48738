using System.Runtime.InteropServices;

namespace Telemetry.Protocol.Cli;

/// <summary>A descriptor to print to, as it is. Where nobody reads any more, what is written is lost, as the console has it.</summary>
internal sealed partial class PlainStream(int descriptor) : Stream
{
    private const int Interrupted = 4;          // EINTR
    private const int TryAgain = 11;            // EAGAIN, of a descriptor that another program made non-blocking
    private const int BrokenPipe = 32;          // EPIPE
    private const short Writable = 0x0004;      // POLLOUT

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is held back here.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

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
