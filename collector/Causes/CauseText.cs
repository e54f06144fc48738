using System.Text;

namespace Telemetry.Collector.Causes;

/// <summary>Actors and causes in words. Pure.</summary>
internal static class CauseText
{
    /// <summary>Such as <c>dpkg: apache2 2.4.62-1 → 2.4.65-1 and 3 more packages</c>.</summary>
    public static string Of(PackageTransaction transaction) => transaction.Packages.Length switch
    {
        0 => $"{transaction.Manager}: packages unknown",
        1 => $"{transaction.Manager}: {Of(transaction.Packages[0])}",
        2 => $"{transaction.Manager}: {Of(transaction.Packages[0])} and 1 more package",
        var count => $"{transaction.Manager}: {Of(transaction.Packages[0])} and {count - 1} more packages",
    };

    /// <summary>Such as <c>apache2 2.4.65-1 installed</c>.</summary>
    public static string Of(PackageTransition package) => package switch
    {
        { From: "", To: "" } => package.Name,
        { From: "" } => $"{package.Name} {package.To} installed",
        { To: "" } => $"{package.Name} {package.From} removed",
        _ when package.From == package.To => $"{package.Name} {package.To} reinstalled",
        _ => $"{package.Name} {package.From} → {package.To}",
    };

    /// <summary>
    /// Such as <c>vim (root, logged in as anna)</c>. A question mark says that the program is not certain: the process has run
    /// another one since, or is gone.
    /// </summary>
    public static string Of(Actor actor)
    {
        var text = new StringBuilder(Program(actor));
        if (!actor.IsCertain && actor.Executable.Length > 0)
            text.Append('?');

        var details = new List<string>();
        if (Name(actor.User, actor.Uid) is { } user)
            details.Add(user);
        if (Name(actor.LoginUser, actor.LoginUid) is { } login && actor.LoginUid != actor.Uid)
            details.Add($"logged in as {login}");
        if (actor.Unit.Length > 0)
            details.Add($"in {actor.Unit}");
        if (actor.HasExited)
            details.Add("exited");
        return details.Count == 0 ? text.ToString() : text.Append($" ({string.Join(", ", details)})").ToString();
    }

    private static string Program(Actor actor)
    {
        if (actor.Executable.Length > 0)
            return actor.Executable[(actor.Executable.TrimEnd('/').LastIndexOf('/') + 1)..];
        return actor.Pid == 0 ? "an unknown process" : $"process {actor.Pid}";
    }

    private static string? Name(string name, uint? id) => name.Length > 0 ? name : id is null ? null : $"uid {id}";
}
