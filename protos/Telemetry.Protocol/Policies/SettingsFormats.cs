namespace Telemetry.Protocol.Policies;

/// <summary>The formats of settings files, by the names a policy gives them.</summary>
public static class SettingsFormats
{
    public static readonly IReadOnlyList<string> Names =
    [
        "apache", "apt_sources", "crontab", "fstab", "group", "hosts", "ini", "json", "limits", "logrotate", "mysql", "nginx",
        "nsswitch", "pam", "passwd", "php", "properties", "resolv", "shadow", "sshd", "sudoers", "sysctl", "systemd",
    ];
}
