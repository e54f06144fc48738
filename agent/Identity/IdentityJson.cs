using System.Text.Json.Serialization;

namespace Telemetry.Agent.Identity;

/// <summary>How an identity is kept, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(InstanceIdentity))]
internal sealed partial class IdentityJson : JsonSerializerContext;
