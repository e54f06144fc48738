using System.Collections.Immutable;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

/// <summary>From what an agent says of its machine to what is kept of it.</summary>
internal static class HelloMapping
{
    public const int MaxNameLength = 255;
    private const int MaxTags = 50;

    /// <summary>PATH_MAX of Linux.</summary>
    private const int MaxRootLength = 4096;

    /// <exception cref="BadMessageException">What no agent says of its machine.</exception>
    public static Instance ToInstance(this V1.Hello hello, DateTimeOffset now)
    {
        if (hello.InstanceId.Length is 0 or > MaxNameLength || !hello.InstanceId.All(IsIdCharacter))
            throw new BadMessageException("an instance id that is none: letters, digits, '-', '_' and '.' are allowed");
        if (hello.Tags.Count > MaxTags)
            throw new BadMessageException($"{hello.Tags.Count} tags, {MaxTags} is the limit");

        foreach (var text in (string[])[hello.Name, hello.AgentVersion, hello.Group, hello.Customer, hello.Image, .. hello.Tags.Keys, .. hello.Tags.Values])
        {
            if (text.Length > MaxNameLength || !EscapedText.IsPlain(text))
                throw new BadMessageException("a name that is too long, or has characters that cannot be shown");
        }

        if (hello.Root.Length > MaxRootLength)
            throw new BadMessageException("a root that is no path");
        return new Instance(
            hello.InstanceId,
            hello.Name,
            hello.AgentVersion,
            hello.Group,
            hello.Customer,
            hello.Tags.ToImmutableSortedDictionary(StringComparer.Ordinal),
            hello.Image,
            now)
        {
            // What it can't be shown as, it is not shown as: nothing but words for people depends on it.
            Root = hello.Root.StartsWith('/') && EscapedText.IsPlain(hello.Root) ? hello.Root : Instance.WholeMachine,
        };
    }

    private static bool IsIdCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.';
}
