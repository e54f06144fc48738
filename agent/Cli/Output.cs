using System.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Cli;

/// <summary>Standard output for many lines: buffered, and failing when nobody reads it any more.</summary>
internal sealed class Output : IDisposable
{
    private readonly StreamWriter _writer = new(
        new StandardOutput(),
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        bufferSize: 32 * 1024);

    public void Line(string line) => _writer.Write(line + '\n');

    public void Dispose() => _writer.Dispose();
}
