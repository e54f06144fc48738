using Google.Protobuf;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Mapping;

/// <summary>A coverage, with its scope, as bytes: how a store keeps it.</summary>
public static class CoverageBytes
{
    public static byte[] Of(Coverage coverage) => coverage.ToMessage().ToByteArray();

    /// <exception cref="BadMessageException">The bytes are not a coverage.</exception>
    public static Coverage Read(byte[] bytes)
    {
        try
        {
            return V1.Coverage.Parser.ParseFrom(bytes).ToModel();
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new BadMessageException(e.Message);
        }
    }
}
