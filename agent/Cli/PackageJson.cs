using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Telemetry.Agent.Cli;

/// <summary>How answers about packages are written as JSON, without reflection; like <see cref="Telemetry.Protocol.Text.ViewJson"/>.</summary>
[JsonSerializable(typeof(PackageOwnersView))]
[JsonSerializable(typeof(PackageFindingView))]
internal sealed partial class PackageJson : JsonSerializerContext
{
    public static PackageJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
