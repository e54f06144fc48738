namespace Telemetry.Protocol.Policies;

/// <summary>Paths that say what is looked at: whole components from the root on, no wildcards.</summary>
public static class ScopePath
{
    public static bool IsValid(string path) =>
        path.StartsWith('/') && !path.Contains('\0') && !path.Split('/').Any(part => part is "." or "..");

    /// <summary>What is said of a path that is not valid.</summary>
    public static string Mistake(string path) =>
        $"has '{path}'; write paths from a slash on, without '.' and '..', such as [\"/etc\", \"/usr/bin\"].";
}
