using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

/// <summary>How far somebody has read a lane. The default is its begin.</summary>
/// <param name="Last">The last record that was read.</param>
/// <param name="Segment">That has it; null: it has to be looked for.</param>
/// <param name="Offset">Behind that record.</param>
/// <param name="Tally">With that record.</param>
internal readonly record struct SpoolCursor(HeadPosition Last, Segment? Segment = null, long Offset = 0, Tally Tally = default);
