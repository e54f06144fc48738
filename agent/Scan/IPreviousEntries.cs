namespace Telemetry.Agent.Scan;

/// <summary>The entries of the look before this one, read forward once, in key order.</summary>
internal interface IPreviousEntries
{
    ReadOnlySpan<byte> Key { get; }

    /// <summary>The encoded fingerprint.</summary>
    ReadOnlySpan<byte> Value { get; }

    FileStamp Stamp { get; }

    bool MoveNext();

    /// <summary>Goes to the first entry at or behind a key. Keys must not fall from one call to the next.</summary>
    /// <returns>Whether there is one.</returns>
    bool MoveTo(ReadOnlySpan<byte> key);

    /// <summary>Goes to a key. Keys must not fall from one call to the next.</summary>
    /// <returns>Whether it is there.</returns>
    bool TryFind(ReadOnlySpan<byte> key);
}
