using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>
/// A file of which no content is expected, only settings: what layers share setting by setting. It is told by having none of what
/// every regular file that was read has.
/// </summary>
public static class ContentBySettings
{
    public static Fingerprint Of(Fingerprint file) => file with { Size = null, Content = null, KeyedContent = null };

    public static bool Is(Fingerprint? expected) =>
        expected is { IsStable: true, Type: FileType.File, Size: null, Content: null, KeyedContent: null };
}
