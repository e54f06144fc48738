using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Checks;

/// <summary>The checks of layers, and as whom they run: <c>[checks]</c>.</summary>
internal sealed record CheckOptions
{
    public required bool AreEnabled { get; init; }

    /// <summary>Of the layers' files.</summary>
    public required string Layers { get; init; }

    /// <summary>
    /// As whom plug-ins run where the agent is root; never root. Nobody else's: plug-ins could end the processes that a shared user
    /// has, read their memory, and use up the processes it may have.
    /// </summary>
    public required string User { get; init; }

    /// <summary>For people, where there is no such user.</summary>
    public string MissingUser => $"/etc/passwd has no user '{User}' without root's rights; make it, as with systemd-sysusers from deploy/sysusers.d, or set checks.user";

    /// <summary>Bytes that one may use.</summary>
    public required long Memory { get; init; }

    public static CheckOptions Read(SettingsSection settings)
    {
        var layers = settings.Text("layers", "/etc/telemetry/layers.d");
        if (!Path.IsPathRooted(layers))
            settings.Fail("layers", "must be an absolute path.");
        var user = settings.Text("user", "telemetry-checks");
        if (user is "" or "root" or "0" || user.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('_' or '-' or '.')))
            settings.Fail("user", "must be the name of a user other than root: plug-ins are never run with rights of their own.");
        return new CheckOptions
        {
            AreEnabled = settings.Flag("enabled", true),
            Layers = layers,
            User = user,
            Memory = settings.Size("memory", 64 << 20, 16 << 20),
        };
    }
}
