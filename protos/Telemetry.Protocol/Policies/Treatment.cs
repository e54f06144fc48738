namespace Telemetry.Protocol.Policies;

/// <summary>How closely an entry is compared. A policy names them in lower case.</summary>
public enum Treatment
{
    /// <summary>Every attribute.</summary>
    Full = 0,

    /// <summary>All but what a file holds: no content, size or link target; of packages and settings, presence.</summary>
    Attributes,

    /// <summary>Only that it is there, or that it is not.</summary>
    Presence,

    /// <summary>Files that are appended to: as <see cref="Attributes"/>, and never smaller than expected.</summary>
    Growing,

    /// <summary>Files that the machine makes of others, such as <c>ld.so.cache</c>: as <see cref="Attributes"/>, and never part of a layer.</summary>
    Derived,

    /// <summary>Compared fully, but the agent tells a keyed digest of the content, which nobody without the key can guess at.</summary>
    Secret,

    /// <summary>Not at all.</summary>
    Ignore,
}
