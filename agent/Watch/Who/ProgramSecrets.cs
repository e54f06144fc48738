namespace Telemetry.Agent.Watch.Who;

/// <summary>What one program takes as a secret by names that promise none. All texts are words divided by blanks.</summary>
/// <remarks>
/// To add a program is to add a line to <see cref="All"/>. Only what <c>SecretText.IsSecretName</c> does not know from the option's
/// own name belongs here. What is masked too much costs a word; what is not masked leaves the machine.
/// </remarks>
/// <param name="Names">Of the program, without its folder; a star at the end stands for any end.</param>
/// <param name="Options">Their value is the next argument or grown on: <c>-p secret</c> and <c>-psecret</c>.</param>
internal sealed record ProgramSecrets(string Names, string Options = "")
{
    /// <summary>The same, but never grown on: long options, and words such as <c>using</c>. A value behind <c>=</c> counts.</summary>
    public string Words { get; init; } = "";

    /// <summary>The line holds only behind one of these, such as <c>login</c>; <c>-n</c> is also found in <c>-bn</c>.</summary>
    public string Verbs { get; init; } = "";

    /// <summary>From which argument on that is no option, counted from 1 behind the program or the verb, all are secrets; 0: none.</summary>
    public int From { get; init; }

    /// <summary>What stands behind the equals sign of an argument is a secret, whatever its name.</summary>
    public bool HasPairs { get; init; }

    /// <summary>It reads a secret from standard input: always (<c>*</c>), or with one of these options.</summary>
    public string Reads { get; init; } = "";

    public static ProgramSecrets[] All { get; } =
    [
        // Databases.
        new("mysql* mariadb* mongo* cqlsh", "-p"),
        new("influx") { Words = "-t -password" },
        new("redis-cli valkey-cli", "-a") { Words = "auth AUTH" },
        new("sqlcmd bcp osql tsql isql fisql", "-P"),
        new("isql") { From = 3 },
        new("sqlplus") { From = 1 },
        new("db2") { Words = "using USING" },
        new("rabbitmqctl") { Verbs = "add_user change_password authenticate_user", From = 2 },
        new("nsupdate dig", "-y"),

        // Archives and cryptography.
        new("7z* rar unrar", "-p -hp"),
        new("zip unzip ipmitool", "-P"),
        new("openssl") { Words = "-k -K -pass -passin -passout -passwd -psk -srppass -macopt" },
        new("openssl") { Verbs = "passwd", From = 1, Reads = "-stdin" },
        new("qpdf") { Verbs = "--encrypt", From = 1 },
        new("gpg gpg2") { Reads = "--passphrase-fd" },
        new("oathtool mkpasswd") { From = 1 },
        new("cryptsetup kinit") { Reads = "*" },
        new("steghide outguess", "-p -k"),

        // Accounts.
        new("sshpass useradd usermod groupadd groupmod", "-p"),
        new("login", "-p"),
        new("sudo doas") { Reads = "-S --stdin" },
        new("su passwd chpasswd chgpasswd smbpasswd newusers vncpasswd") { Reads = "*" },
        new("htpasswd mosquitto_passwd") { From = 3, Reads = "-i" },
        new("htpasswd") { Verbs = "-n", From = 2 },
        new("samba-tool") { Verbs = "create add", From = 2 },
        new("slappasswd ldappasswd", "-s -a"),
        new("ldap*", "-w"),
        new("kadmin kadmin.local", "-w") { Words = "-pw" },
        new("wpa_passphrase") { From = 2 },
        new("iwconfig iw") { Words = "key enc" },

        // Clients of networks and of mail.
        new("curl", "-b") { Words = "--cookie --oauth2-bearer" },
        new("http https xh", "-a"),
        new("snmpget snmpgetnext snmpwalk snmpbulkget snmpbulkwalk snmpset snmptrap snmpinform snmptable snmpstatus snmpdf snmpdelta snmptest snmpusm snmpvacm", "-A -X -c"),
        new("check_snmp*", "-A -X -C"),
        new("check_mysql* check_pgsql check_ftp check_imap", "-p"),
        new("check_http check_curl", "-a -b"),
        new("check_ldap*", "-P"),
        new("mosquitto_pub mosquitto_sub mosquitto_rr", "-P"),
        new("lftp", "-u"),
        new("ncftp ncftpget ncftpput rdesktop vncviewer smbmap evil-winrm", "-p"),
        new("xfreerdp* wlfreerdp* sdl-freerdp*", "/p:"),
        new("plink pscp psftp putty") { Words = "-pw" },
        new("x11vnc") { Words = "-passwd" },
        new("swaks") { Words = "-ap -au --ap" },
        new("sendemail sendEmail") { Words = "-xp" },
        new("radtest") { From = 2 },
        new("radclient") { From = 3 },

        // Registries, clouds and stores of secrets.
        new("docker podman buildah skopeo nerdctl helm oras crane oc az cf", "-p") { Verbs = "login", Reads = "--password-stdin" },
        new("twine", "-p"),
        new("cargo") { Verbs = "login", From = 1 },
        new("dotnet nuget gem", "-k") { Verbs = "push" },
        new("vault bao") { Verbs = "login unseal unwrap revoke lookup renew", From = 1, Reads = "-" },
        new("vault bao consul") { Verbs = "put write patch", HasPairs = true },
        new("kubectl oc k3s") { Verbs = "secret", Words = "--from-literal", HasPairs = true },
        new("flyctl fly doppler") { Verbs = "secrets", HasPairs = true },
        new("heroku dokku") { Verbs = "config:set", HasPairs = true },
        new("gh glab", "-b") { Verbs = "secret", Words = "--body" },
        new("gh glab") { Verbs = "login", Reads = "--with-token --stdin" },
        new("mc mcli") { Verbs = "set add", From = 3 },
        new("rclone") { Verbs = "obscure", From = 1 },
        new("pulumi") { Verbs = "--secret", From = 2 },
        new("bw") { Verbs = "login", From = 2 },
        new("bw") { Verbs = "unlock", From = 1 },
        new("pro ua") { Verbs = "attach", From = 1 },
        new("cloudflared") { Verbs = "install", From = 1 },
        new("gitlab-runner", "-r"),
        new("pass") { Verbs = "insert", Reads = "*" },
    ];
}
