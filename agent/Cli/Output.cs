using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Agent.Cli;

/// <summary>Standard output for many lines: buffered, and failing when nobody reads it any more.</summary>
/// <remarks><see cref="Console.Out"/> swallows a closed pipe, so that <c>show FILE | head</c> would go on to the end of the file.</remarks>
internal sealed class Output : IDisposable
{
    private readonly StreamWriter _writer = new(
        new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0),
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        bufferSize: 32 * 1024);

    public void Line(string line) => _writer.Write(line + '\n');

    public void Dispose() => _writer.Dispose();
}
