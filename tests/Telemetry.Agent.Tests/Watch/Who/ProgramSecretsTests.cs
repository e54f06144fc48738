using System.Diagnostics;
using System.Text;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

public sealed class ProgramSecretsTests
{
    private const char Divider = '¦';

    // § is where the secret stands.
    private static readonly string[] Forms =
    [
        "openssl¦enc¦-aes-256-cbc¦-k¦§¦-in¦a", "openssl¦enc¦-K¦§", "openssl¦passwd¦-6¦§", "openssl¦passwd¦§", "openssl¦rsa¦-passin¦pass:§", "openssl¦s_client¦-psk¦§",
        "htpasswd¦-bc¦/etc/f¦u¦§", "htpasswd¦-b¦-C¦10¦/etc/f¦u¦§", "htpasswd¦-nbB¦u¦§", "mosquitto_passwd¦-b¦f¦u¦§",
        "vault¦login¦§", "vault¦login¦-no-print¦§", "vault¦kv¦put¦secret/app¦k=§¦b=1", "vault¦write¦auth/x¦k=§", "vault¦operator¦unseal¦§", "bao¦login¦§",
        "kubectl¦create¦secret¦generic¦a¦--from-literal=k=§", "kubectl¦create¦secret¦generic¦a¦--from-literal¦k=§", "kubectl¦config¦set-credentials¦a¦--token=§",
        "kubectl¦create¦secret¦docker-registry¦a¦--docker-password=§", "sqlcmd¦-S¦h¦-U¦sa¦-P¦§", "bcp¦db.t¦out¦f¦-U¦sa¦-P§", "isql¦dsn¦user¦§",
        "snmpget¦-v¦3¦-A¦§¦h¦1.3", "snmpwalk¦-X¦§¦h", "snmpget¦-v2c¦-c¦§¦h¦1.3", "/usr/lib/nagios/plugins/check_snmp¦-H¦h¦-C¦§", "check_mysql¦-u¦m¦-p¦§", "check_http¦-a¦u:§",
        "mosquitto_pub¦-u¦m¦-P¦§¦-t¦t", "lftp¦-u¦a,§¦h", "lftp¦-ua,§¦h", "npm¦config¦set¦//registry.npmjs.org/:_authToken¦§", "npm¦config¦set¦//r/:_authToken=§",
        "xfreerdp¦/u:a¦/p:§¦/v:h", "rar¦a¦-hp§¦x.rar¦f", "rar¦a¦-p§¦x.rar", "7z¦a¦-p§¦x.7z", "unzip¦-P¦§¦x.zip", "twine¦upload¦-u¦a¦-p¦§¦d", "cqlsh¦-u¦a¦-p¦§",
        "mc¦alias¦set¦n¦http://h¦KEY¦§", "mc¦alias¦set¦n¦http://h¦§¦SECRET", "az¦login¦--service-principal¦-u¦a¦-p¦§", "docker¦login¦-u¦a¦-p§", "helm¦registry¦login¦h¦-p¦§",
        "wpa_passphrase¦net¦§", "nmcli¦dev¦wifi¦connect¦net¦password¦§", "iwconfig¦wlan0¦key¦s:§", "kadmin¦-p¦a¦-w¦§", "kadmin.local¦-q¦addprinc -pw § bob",
        "rabbitmqctl¦add_user¦u¦§", "rabbitmqctl¦change_password¦u¦§", "plink¦-pw¦§¦h", "swaks¦-au¦a¦-ap¦§", "sendemail¦-xu¦a¦-xp¦§", "radtest¦bob¦§¦h¦0¦testing", "radtest¦bob¦pw¦h¦0¦§",
        "http¦-a¦u:§¦h", "curl¦-su¦u:§¦http://h", "curl¦-b¦sid=§¦http://h", "curl¦--oauth2-bearer¦§¦http://h", "curl¦https://h/x?key=§", "curl¦https://h/x?a=1&sig=§",
        "sqlplus¦scott/§@db", "db2¦connect¦to¦x¦user¦y¦using¦§", "redis-cli¦auth¦§", "influx¦-t¦§", "gh¦secret¦set¦N¦--body¦§", "gh¦secret¦set¦N¦-b§", "heroku¦config:set¦A=§", "fly¦secrets¦set¦A=§",
        "dotnet¦nuget¦push¦x.nupkg¦-k¦§", "cargo¦login¦§", "rclone¦obscure¦§", "bw¦login¦me@h¦§", "bw¦unlock¦§", "pro¦attach¦§", "cloudflared¦service¦install¦§", "gitlab-runner¦register¦-r¦§",
        "qpdf¦--encrypt¦u¦§¦256¦--¦a¦b", "mkpasswd¦-m¦sha-512¦§", "oathtool¦--totp¦§", "slappasswd¦-s¦§", "samba-tool¦user¦create¦bob¦§", "ipmitool¦-U¦a¦-P¦§", "x11vnc¦-passwd¦§",
        "surge¦--auth¦§", "tool¦--auth=§", "tool¦--http-auth¦§", "tool¦--app-key¦§", "tool¦--signing-key=§", "env¦APP_KEY=§¦tool", "tool¦-Dldap.key=§", "docker¦run¦-e¦STORAGE_KEY=§¦img",
        "aws¦configure¦set¦aws_secret_access_key¦§", "sudo¦-u¦me¦vault¦login¦§", "sh¦-c¦vault login §", "sh¦-c¦cd /; openssl enc -k § -in a", "ssh¦h¦htpasswd -b f u §",
        "sh¦-c¦echo § | sudo -S ls", "sh¦-c¦echo '§' | sudo -kS ls", "bash¦-c¦echo -n \"§\" | docker login -u a --password-stdin h", "sh¦-c¦echo me:§ | chpasswd", "sh¦-c¦printf '%s\\n' § | passwd --stdin me",
        "sh¦-c¦(echo §; echo §) | passwd me", "sh¦-c¦{ echo §; echo §; } | smbpasswd -s me", "sh¦-c¦echo § | cryptsetup open /dev/a b", "sh¦-c¦echo § | vault login -", "sh¦-c¦echo § | gh auth login --with-token",
        "bash¦-c¦sudo -S ls <<< §", "bash¦-c¦chpasswd <<<'me:§'", "sh¦-c¦echo § | gpg --batch --passphrase-fd 0 -d a", "ssh¦h¦sh -c 'echo § | sudo -S ls'", "sh¦-c¦echo §|sudo -S ls",
        "sh¦-c¦echo can't; mysql -p§", "sh¦-c¦redis-cli \\\n -a § ping",
    ];

    private static readonly string[] Tokens =
    [
        "ghp_16C7e42F292c6912E7710c83", "github_pat_11ABCDEFG0123456789", "glpat-ZqSec9012345678901", "AKIAIOSFODNN7EXAMPLE", "xoxb-1234567890-ZqSec90", "hvs.CAESIZqSec9012345",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.ZqSec90-ab", "sk-proj-ZqSec9012345678", "npm_ZqSec90123456789", "$6$salt$ZqSec9012345", "$2y$10$ZqSec90123456", "$argon2id$v=19$m=6,t=3$ZqSec90",
    ];

    [Fact]
    public void Of_ASecretThatAProgramTakes_NeverShowsIt()
    {
        var shown = Forms.Where(form => Mask(form.Replace("§", "ZqSec90", StringComparison.Ordinal)).Contains("ZqSec", StringComparison.Ordinal));

        Assert.Empty(shown);
    }

    [Fact]
    public void Of_AToken_NeverShowsIt()
    {
        Assert.All(Tokens, token => Assert.Equal($"tool¦a:***¦-v", Mask($"tool¦a:{token}¦-v")));
    }

    [Theory]
    [InlineData("git¦commit¦-m¦fix key")]
    [InlineData("git¦commit¦-am¦can't rotate the key: see docs")]
    [InlineData("git¦log¦-p")]
    [InlineData("git¦push¦-u¦origin¦main")]
    [InlineData("apt-key¦list")]
    [InlineData("sudo¦apt-key¦list")]
    [InlineData("apt-get¦install¦-y¦openssl¦htpasswd¦vault¦mkpasswd¦pwgen")]
    [InlineData("man¦mkpasswd¦5")]
    [InlineData("which¦sqlplus¦oathtool")]
    [InlineData("grep¦-r¦passwd¦/etc/pam.d")]
    [InlineData("sh¦-c¦echo hello | grep passwd")]
    [InlineData("sh¦-c¦echo hello | sudo tee /etc/x")]
    [InlineData("sh¦-c¦echo done; passwd -l me")]
    [InlineData("sh¦-c¦mysql -e 'select 1' && mkdir -p /srv/a")]
    [InlineData("ssh¦-p¦22¦me@h")]
    [InlineData("ssh¦-i¦/root/.ssh/id_ed25519¦-o¦PasswordAuthentication=no¦h")]
    [InlineData("ssh¦-o¦PubkeyAuthentication=yes¦-o¦IdentitiesOnly=yes¦h")]
    [InlineData("scp¦-P¦2222¦a¦h:b")]
    [InlineData("ssh-keygen¦-t¦ed25519¦-f¦/etc/ssh/key")]
    [InlineData("ssh-add¦-l")]
    [InlineData("ls¦-k")]
    [InlineData("tar¦-k¦-xf¦a.tar")]
    [InlineData("tar¦-czpf¦a.tgz¦/etc")]
    [InlineData("mysql¦-P¦3306¦-h¦db¦shop")]
    [InlineData("mysqldump¦--single-transaction¦--port=3306¦shop")]
    [InlineData("psql¦-p¦5432¦-U¦me¦-d¦shop")]
    [InlineData("redis-cli¦-p¦6379¦ping")]
    [InlineData("cp¦-p¦a¦b")]
    [InlineData("mkdir¦-p¦/a/b")]
    [InlineData("netstat¦-plnt")]
    [InlineData("ps¦-u¦root,daemon")]
    [InlineData("docker¦run¦-p¦80:80¦-u¦1000:1000¦nginx:1.25")]
    [InlineData("docker¦compose¦-p¦shop¦up¦-d")]
    [InlineData("docker¦build¦-t¦shop:1¦.")]
    [InlineData("kubectl¦get¦secret¦-n¦shop¦-o¦yaml")]
    [InlineData("kubectl¦-n¦shop¦rollout¦status¦deploy/web")]
    [InlineData("helm¦upgrade¦shop¦./chart¦--set¦image.tag=1")]
    [InlineData("mysql¦-p¦-u¦root")]
    [InlineData("docker¦run¦-v¦/etc/app.key:/run/app.key:ro¦img")]
    [InlineData("vault¦status")]
    [InlineData("vault¦kv¦get¦secret/app")]
    [InlineData("openssl¦x509¦-in¦/etc/ssl/a.pem¦-noout¦-enddate")]
    [InlineData("openssl¦req¦-new¦-key¦/etc/ssl/a.key¦-keyout¦/etc/ssl/b.key")]
    [InlineData("nginx¦-g¦daemon off;")]
    [InlineData("nginx¦-t¦-c¦/etc/nginx/nginx.conf")]
    [InlineData("gpg¦--default-key¦me@h¦--sign¦a")]
    [InlineData("gpg¦--recv-keys¦0xDEADBEEF")]
    [InlineData("rpm¦--import¦/etc/pki/key")]
    [InlineData("tool¦--tls-key¦/etc/ssl/a.key")]
    [InlineData("tool¦--app-key¦/etc/app.key")]
    [InlineData("tool¦--auth¦none")]
    [InlineData("tool¦--sort-key¦name¦--auth-type=basic")]
    [InlineData("tool¦--key-file=a.key¦--token-ttl=5m")]
    [InlineData("sort¦-k¦2,2¦a")]
    [InlineData("curl¦-sSfL¦https://h/a?page=2&sort=name")]
    [InlineData("curl¦-o¦/tmp/a¦http://h:8080/b")]
    [InlineData("wget¦-q¦https://h/eyJ.tar.gz")]
    [InlineData("pip¦install¦sk-learn-contrib-tools")]
    [InlineData("systemctl¦restart¦ssh.service")]
    [InlineData("journalctl¦-u¦vault¦login")]
    [InlineData("useradd¦-m¦-s¦/bin/bash¦me")]
    [InlineData("passwd¦-l¦me")]
    [InlineData("chage¦-l¦me")]
    [InlineData("python3¦-m¦http.server¦8000")]
    [InlineData("java¦-Xmx1g¦-Dserver.port=8080¦-jar¦a.jar")]
    [InlineData("make¦-j4¦-k¦all")]
    [InlineData("rsync¦-aup¦/a/¦h:/b/")]
    [InlineData("tmux¦bind-key¦x")]
    [InlineData("find¦/etc¦-name¦*.key¦-perm¦-o=r")]
    [InlineData("sed¦-i¦s/#PasswordAuthentication yes/PasswordAuthentication no/¦/etc/ssh/sshd_config")]
    [InlineData("echo¦it's a¦token")]
    public void Of_AHarmlessCommand_KeepsItAsItIs(string arguments)
    {
        Assert.Equal(arguments, Mask(arguments));
    }

    [Theory]
    [InlineData("password=ZqSec90 https://u:ZqSec91@h: text", "password=*** https://u:***@h: text")]
    [InlineData("login failed (password: ZqSec90) after 3 s", "login failed (password: *** after 3 s")]
    [InlineData("{\"user\": \"a\", \"password\": \"Zq Sec90\"} rejected", "{\"user\": \"a\", \"password\": ***} rejected")]
    [InlineData("can't run mysql -pZqSec90 shop", "can't run mysql -p*** shop")]
    [InlineData("401 for Authorization: Basic WnFTZWM5MA==", "401 for Authorization: ***")]
    [InlineData("APP_KEY=ZqSec90 is old", "APP_KEY=*** is old")]
    [InlineData("bad token ghp_16C7e42F292c6912E7710c83", "bad token ***")]
    [InlineData("token=ZqSec90, next", "token=*** next")]
    [InlineData("OK - password expires in 5 days", "OK - password expires in 5 days")]
    [InlineData("OK: password: expired, token: valid", "OK: password: expired, token: valid")]
    [InlineData("OK - load average: 0.00, 0.01, 0.05", "OK - load average: 0.00, 0.01, 0.05")]
    [InlineData("DISK OK - free space: / 3326 MB (56% inode=83%);", "DISK OK - free space: / 3326 MB (56% inode=83%);")]
    [InlineData("HTTP OK: HTTP/1.1 200 OK - 1234 bytes in 0.004 second response time", "HTTP OK: HTTP/1.1 200 OK - 1234 bytes in 0.004 second response time")]
    [InlineData("certificate for key 'a' isn't valid until 2030", "certificate for key 'a' isn't valid until 2030")]
    [InlineData("it's 3 o'clock; the user's key is here", "it's 3 o'clock; the user's key is here")]
    [InlineData("sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void OfMessage_TakesSecretsOutAndLeavesWords(string text, string expected)
    {
        Assert.Equal(expected, Encoding.UTF8.GetString(CommandLineMask.OfMessage(Encoding.UTF8.GetBytes(text))));
    }

    [Theory]
    [InlineData("mysql -p ")]
    [InlineData("echo a | ")]
    [InlineData("'")]
    [InlineData("can't ")]
    [InlineData("\"a\\\" ")]
    [InlineData("$6$")]
    [InlineData("hvs.")]
    [InlineData("eyJ/")]
    [InlineData("a_key=")]
    [InlineData("--auth ")]
    [InlineData("(echo a;")]
    [InlineData("<<<a ")]
    public void Of_LongArgument_TakesTimeByItsLength(string piece)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 512 * 1024 / piece.Length)));
        var started = Stopwatch.GetTimestamp();

        CommandLineMask.Of([text]);
        CommandLineMask.OfMessage(text);

        // By its square it would be minutes.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void FindsIn_ALineWithoutSecrets_AllocatesNothing()
    {
        var line = "5 4 * * * root cd / && run-parts --report /etc/cron.daily; docker run -p 80:80 'nginx'"u8.ToArray();
        CommandLineMask.FindsIn(line);

        var before = GC.GetAllocatedBytesForCurrentThread();
        CommandLineMask.FindsIn(line);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void All_Lines_FitIntoTheSetOfThem()
    {
        Assert.InRange(ProgramSecrets.All.Length, 1, 128);
    }

    private static string Mask(string arguments) => string.Join(
        Divider, CommandLineMask.Of([.. arguments.Split(Divider).Select(Encoding.UTF8.GetBytes)]).Select(Encoding.UTF8.GetString));
}
