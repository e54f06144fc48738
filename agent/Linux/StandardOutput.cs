using System.Runtime.InteropServices;
using Telemetry.Protocol.Cli;

namespace Telemetry.Agent.Linux;

/// <summary>Descriptor 1 as it is: written where the file stands that others write to as well, and failing when nobody reads it.</summary>
/// <remarks>
/// <see cref="Console.OpenStandardOutput()"/> swallows a closed pipe, and a <see cref="FileStream"/> writes at a position of its own.
/// </remarks>
internal sealed class StandardOutput : WriteOnlyStream
{
    private const int Descriptor = 1;

    /// <summary>write(2), until all is written.</summary>
    /// <exception cref="IOException">With the errno as its HResult: EPIPE, ENOSPC, EIO.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            fixed (byte* start = buffer)
            {
                var written = LibC.Write(Descriptor, start, buffer.Length);
                if (written >= 0)
                {
                    buffer = buffer[(int)written..];
                    continue;
                }
            }

            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Interrupted)
                throw new IOException("Standard output cannot be written: " + Errno.Text(errno), errno);
        }
    }
}
