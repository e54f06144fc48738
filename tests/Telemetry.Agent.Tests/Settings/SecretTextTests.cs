using System.Text;
using Telemetry.Agent.Settings;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Settings;

public sealed class SecretTextTests
{
    [Theory]
    [InlineData("password=x")]
    [InlineData("  password = x")]
    [InlineData("db.password : x")]
    [InlineData("api key = x")]
    [InlineData("#password=x")]
    [InlineData("SetEnv DB_PASSWORD x")]
    [InlineData("{\"a\":1,\"password\":\"x\"}")]
    [InlineData("{\"password\":\n \"x\"}")]
    [InlineData("tmpfs / cifs username=a,password=x 0 0")]
    [InlineData("@daily root mysqldump --password=x")]
    [InlineData("@daily root mysqldump --password x")]
    [InlineData("@daily root mysqldump -u root -px shop")]
    [InlineData("curl -u me:x http://h")]
    [InlineData("curl -H 'Authorization: Bearer x'")]
    [InlineData("deb http://user:x@host/ stable main")]
    [InlineData("Environment=\"A=b\" TOKEN=x")]
    [InlineData("deb https://ghp_aB3@host/ stable main")]
    [InlineData("deb https://ghp_aB3:@host/ stable main")]
    [InlineData("wsrep_sst_auth = sst:x")]
    [InlineData("//nas/a /mnt cifs username=u%pw,vers=3 0 0")]
    [InlineData("curlftpfs#u:pw@host /mnt fuse rw 0 0")]
    [InlineData("session.save_path = \"tcp://h:6379?auth=x\"")]
    [InlineData("session.save_path = \"tcp://h:6379?auth[user]=u&auth[pass]=x\"")]
    [InlineData("<If \"%{HTTP:Authorization} == 'Basic dTpwdw=='\">")]
    [InlineData("<If \"%{HTTP:X-Api-Key} == 'x'\">")]
    [InlineData("if ($http_x_api_key != \"x\") { return 403; }")]
    [InlineData("RequestHeader set X-Upstream \"Basic dTpwdw==\"")]
    [InlineData("{\"passwords\":[\"a\",\"b\"]}")]
    [InlineData("{\"auths\":{\"h\":{\"auth\":\"dTpwdw==\"}}}")]
    [InlineData("{\"api_keys\":[{\"key\":\"x\"}]}")]
    [InlineData("* * * * * root curl --user me:x http://h")]
    [InlineData("* * * * * root redis-cli -h h -a x ping")]
    [InlineData("ExecStart=redis-cli -a x")]
    [InlineData("ExecStart=/usr/bin/redis-cli \\\n  -a x")]
    [InlineData("* * * * * root sshpass -p x ssh h")]
    [InlineData("* * * * * root ldapsearch -D cn=a -w x")]
    [InlineData("* * * * * root sh -c 'mysql -px -e \"select 1\"'")]
    [InlineData("text\n-----BEGIN RSA PRIVATE KEY-----\n")]
    public void Holds_Secret_IsTrue(string text)
    {
        Assert.True(SecretText.Holds(Encoding.UTF8.GetBytes(text), SecretReach.Everything));
    }

    [Theory]
    [InlineData("")]
    [InlineData("password=")]
    [InlineData("password = \"\"")]
    [InlineData("{\"password\": \"\"}")]
    [InlineData("# the password is asked for")]
    [InlineData("PasswordAuthentication no")]
    [InlineData("proxy_pass http://app:8080;")]
    [InlineData("location / { proxy_pass http://app; }")]
    [InlineData("url = http://host:8080/a")]
    [InlineData("-----BEGIN CERTIFICATE-----\nx\n-----BEGIN PUBLIC KEY-----\n")]
    [InlineData("user=root\nmemory = 1")]
    [InlineData("git+ssh://git@host/a")]
    [InlineData("User=app-%i")]
    [InlineData("auth = ldaps://h/dc=x")]
    [InlineData("auth = required")]
    [InlineData("AuthType Basic\nAuthName \"a b\"")]
    [InlineData("##\n# Basic Settings\n##")]
    [InlineData("* * * * * root mkdir -p /x; redis-cli ping")]
    [InlineData("ExecStart=/usr/sbin/apache2ctl -k start -u www-data")]
    [InlineData("UUID=0a1b2c3d-1111-2222-3333-444455556666 / ext4 errors=remount-ro 0 1")]
    public void Holds_NoSecret_IsFalse(string text)
    {
        Assert.False(SecretText.Holds(Encoding.UTF8.GetBytes(text), SecretReach.Everything));
    }

    [Theory]
    [InlineData(";")]
    [InlineData("user=")]
    [InlineData("a auth=")]
    [InlineData("://a@/")]
    [InlineData("\"a ")]
    [InlineData("$(a ")]
    [InlineData("-----BEGIN ")]
    public void Holds_LongLine_TakesTimeByItsLength(string piece)
    {
        var line = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 1024 * 1024 / piece.Length)));
        var started = ProcessorTime.OfThisThread;

        SecretText.Holds(line, SecretReach.Everything);

        // By its square it would be minutes.
        Assert.InRange(ProcessorTime.OfThisThread - started, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("alice ALL = NOPASSWD: /usr/bin/redis-cli -a x", true)]
    [InlineData("alice ALL = (root) /usr/bin/mysql -px", true)]
    [InlineData("alice ALL = NOPASSWD: /usr/bin/passwd bob, /bin/mkdir -p /x", false)]
    [InlineData("Defaults passwd_tries=3, mail_badpass", false)]
    [InlineData("%sudo ALL=(ALL:ALL) ALL", false)]
    public void HoldsCommand_IsOfWhatProgramsTakeAsPasswords(string text, bool expected)
    {
        Assert.Equal(expected, SecretText.Holds(Encoding.UTF8.GetBytes(text), SecretReach.Commands));
    }

    [Theory]
    [InlineData("password required pam_unix.so obscure try_first_pass yescrypt", false)]
    [InlineData("PermitRootLogin prohibit-password", false)]
    [InlineData("auth required pam_mysql.so user=a passwd=x", true)]
    public void HoldsAssignment_TakesEqualsSignsOnly(string text, bool expected)
    {
        Assert.Equal(expected, SecretText.Holds(Encoding.UTF8.GetBytes(text), SecretReach.Assignments));
    }
}
