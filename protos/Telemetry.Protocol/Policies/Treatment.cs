using System.Collections.Immutable;

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

    /// <summary>
    /// Files that the machine makes of others, such as <c>ld.so.cache</c>: as <see cref="Attributes"/> where both sides have one, and never
    /// part of a layer.
    /// </summary>
    Derived,

    /// <summary>Compared fully, but the agent tells a keyed digest of the content, which nobody without the key can guess at.</summary>
    Secret,

    /// <summary>Not at all.</summary>
    Ignore,
}

public static class Treatments
{
    /// <summary>All names, as a policy writes them.</summary>
    public static readonly ImmutableArray<string> Names = [.. Enum.GetValues<Treatment>().Select(Name)];

    public static string Name(this Treatment treatment) => treatment.ToString().ToLowerInvariant();

    /// <returns>Null for a name that this version does not know.</returns>
    public static Treatment? Parse(string name)
    {
        var index = Names.IndexOf(name);
        return index < 0 ? null : (Treatment)index;
    }
}
