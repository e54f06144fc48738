using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Telemetry.Protocol.Text;

/// <summary>How views are written as JSON, without reflection: snake_case names, nothing that is absent but <c>expected</c> and <c>actual</c>.</summary>
[JsonSerializable(typeof(EntryView))]
[JsonSerializable(typeof(DifferenceView))]
public sealed partial class ViewJson : JsonSerializerContext
{
    /// <summary>For terminals and pipes, not for HTML: other scripts stay readable. Control characters are escaped all the same.</summary>
    public static ViewJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
