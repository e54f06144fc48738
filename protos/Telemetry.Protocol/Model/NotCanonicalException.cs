namespace Telemetry.Protocol.Model;

/// <summary>Bytes that are not the one form this model gives to a value: damaged, tampered with, or made by something else.</summary>
public sealed class NotCanonicalException(string reason) : Exception($"Not canonical: {reason}.");
