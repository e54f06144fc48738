using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>A part of the tree of files that is to be looked at again.</summary>
/// <param name="IsDeep">With all below it; else of a directory itself only.</param>
internal readonly record struct LookPart(EntryKey Key, bool IsDeep);
