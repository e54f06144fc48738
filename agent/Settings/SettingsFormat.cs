using Telemetry.Agent.Settings.Formats;

namespace Telemetry.Agent.Settings;

/// <summary>How widely secrets are looked for in a format's values.</summary>
internal enum SecretReach
{
    /// <summary>Nowhere: it has no place for any, and names in it are data.</summary>
    None,

    /// <summary>Settings with secret names, and what is assigned with <c>=</c> inside values: words such as "password" belong to the language.</summary>
    Assignments,

    /// <summary>The same, and what a command line gives to the program it starts.</summary>
    Commands,

    /// <summary>And settings with secret names before a value of any kind.</summary>
    Everything,
}

/// <summary>One format of settings files: the lens that reads it, and what its tree means.</summary>
/// <param name="Name">As a policy says it: one of <see cref="Telemetry.Protocol.Policies.SettingsFormats.Names"/>.</param>
/// <param name="Lens">Of augeas.</param>
/// <param name="Read">From the lens's tree to settings.</param>
internal sealed record SettingsFormat(string Name, string Lens, SecretReach Reach, Action<SettingNode, SettingList> Read)
{
    private static readonly string[] NoPasswords = ["x", "*", "!", "!!", "!*"];

    private static readonly SettingsFormat[] All =
    [
        new("apache", "Httpd.lns", SecretReach.Everything, WebServers.ReadApache),
        new("apt_sources", "Aptsources.lns", SecretReach.Everything, AptSources.Read) { Prepare = AptSources.Prepare },
        new("crontab", "Cron.lns", SecretReach.Everything, Tables.ReadCrontab) { SpoolLens = "Cron_User.lns" },
        new("fstab", "Fstab.lns", SecretReach.Everything, Tables.ReadFstab),
        new("group", "Group.lns", SecretReach.Assignments, Accounts.Read) { PlainValues = NoPasswords },
        new("hosts", "Hosts.lns", SecretReach.None, Tables.ReadHosts),
        new("ini", "IniFile.lns_loose_multiline", SecretReach.Everything, Sections.Read),
        new("json", "Json.lns", SecretReach.Everything, Json.Read) { AnyNameIsSecret = true },
        new("limits", "Limits.lns", SecretReach.None, Tables.ReadLimits),
        new("logrotate", "Logrotate.lns", SecretReach.Everything, Sections.ReadLogrotate),
        new("mysql", "MySQL.lns", SecretReach.Everything, Sections.ReadMySql),
        new("nginx", "Nginx.lns", SecretReach.Everything, WebServers.ReadNginx),
        new("nsswitch", "Nsswitch.lns", SecretReach.None, Tables.ReadNsswitch),
        new("pam", "Pam.lns", SecretReach.Assignments, Tables.ReadPam),
        new("passwd", "Passwd.lns", SecretReach.Assignments, Accounts.Read) { PlainValues = NoPasswords },
        new("php", "PHP.lns", SecretReach.Everything, Sections.Read),
        new("properties", "Properties.lns", SecretReach.Everything, Sections.Read) { Prepare = Properties.Prepare },
        new("resolv", "Resolv.lns", SecretReach.None, Tables.ReadResolv),
        new("shadow", "Shadow.lns", SecretReach.Everything, Accounts.Read) { PlainValues = NoPasswords },
        new("sshd", "Sshd.lns", SecretReach.Assignments, Sshd.Read),
        new("sudoers", "Sudoers.lns", SecretReach.Commands, Sudoers.Read) { Prepare = Sudoers.Prepare, Restore = Sudoers.Restore },
        new("sysctl", "Sysctl.lns", SecretReach.Assignments, Sections.Read),
        new("systemd", "Systemd.lns", SecretReach.Everything, Sections.ReadSystemd),
    ];

    /// <summary>Makes a file's content what the lens understands, where it has a known shortcoming.</summary>
    public Func<byte[], byte[]> Prepare { get; init; } = content => content;

    /// <summary>Takes back in the lens's tree what was done to the content for the lens.</summary>
    public Func<SettingNode, SettingNode> Restore { get; init; } = tree => tree;

    /// <summary>For files below /var/spool, which differ: users' own crontabs name no user.</summary>
    public string? SpoolLens { get; init; }

    /// <summary>Values of settings with secret names that are no secrets: they say where it is, or that there is none.</summary>
    public IReadOnlyList<string> PlainValues { get; init; } = [];

    /// <summary>What lies below a secret name is secret as well.</summary>
    public bool AnyNameIsSecret { get; init; }

    /// <param name="name">One of <see cref="Telemetry.Protocol.Policies.SettingsFormats.Names"/>; another is null.</param>
    public static SettingsFormat? Find(string name) => Array.Find(All, format => format.Name == name);

    /// <param name="file">Its path below the root, with slashes.</param>
    public string LensFor(ReadOnlySpan<byte> file) => SpoolLens is not null && file.StartsWith("var/spool/"u8) ? SpoolLens : Lens;

    /// <summary>Whether a file's content, or one value of it, seems to hold a secret.</summary>
    public bool HoldsSecret(ReadOnlySpan<byte> text) => SecretText.Holds(text, Reach);
}
