using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>What a policy says of the entries it matches.</summary>
/// <param name="Severity">Null: by the meaning of what differs.</param>
public sealed record PolicyRule(ImmutableArray<KeyPattern> Match, Treatment Treatment, Severity? Severity);
