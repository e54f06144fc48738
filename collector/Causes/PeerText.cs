using System.Text;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>Texts of a peer: data, never trusted to be short or to be fit for a terminal.</summary>
internal static class PeerText
{
    /// <summary>A name or a version, in characters. Package managers set no limit; none comes near this one.</summary>
    public const int MaxNameLength = 1024;

    /// <summary>A path that the kernel can give, in characters: escaped by the agent, a byte takes four of them.</summary>
    public const int MaxPathLength = 4 * 4096;

    /// <exception cref="BadMessageException">It is longer than anything such a text can be.</exception>
    public static string Name(string text, string what) => Limited(text, MaxNameLength, what);

    /// <exception cref="BadMessageException">It is longer than anything such a text can be.</exception>
    public static string Path(string text, string what) => Limited(text, MaxPathLength, what);

    /// <summary>As it is, or escaped where it could not be shown.</summary>
    public static string Plain(string text) =>
        EscapedText.IsPlain(text) ? text : EscapedText.Of(Encoding.UTF8.GetBytes(text));

    private static string Limited(string text, int limit, string what) =>
        text.Length <= limit
            ? Plain(text)
            : throw new BadMessageException($"{what} of {text.Length} characters, {limit} is the limit");
}
