using System.Text;
using FsCheck.Xunit;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

public sealed class CommandLineMaskTests
{
    private const char Divider = '¦';

    // Where a secret stands, and the arguments around it.
    private static readonly string[] Forms =
    [
        "tool¦--password¦§¦-v", "tool¦--password=§", "tool¦--db-password=§¦-v", "tool¦-v¦--api-key¦§", "tool¦--passphrase:§",
        "mysql¦-u¦root¦-p§¦shop", "/usr/bin/mysqldump¦-p¦§", "sudo¦mysql¦-p§", "sshpass¦-p¦§¦ssh¦host", "sshpass¦-p§",
        "docker¦login¦-u¦me¦-p¦§", "usermod¦-p¦§¦me", "redis-cli¦-a¦§", "ldapsearch¦-w¦§",
        "env¦API_TOKEN=§¦tool", "env¦AWS_SECRET_ACCESS_KEY=§", "tool¦token=§", "tool¦a=1,secret=§", "tool¦x?a=1&token=§",
        "curl¦-H¦Authorization: Bearer §", "curl¦-HAuthorization:Basic §", "curl¦-H¦X-Api-Key: §", "curl¦--header=authorization: bearer §",
        "tool¦Authorization:¦Bearer¦§", "tool¦bearer¦§", "curl¦-H¦Cookie: a=1; sid=§", "curl¦-u¦me:§¦http://h", "curl¦-ume:§", "curl¦--user¦me:§",
        "smbclient¦-U¦me%§", "git¦clone¦https://me:§@host/x", "psql¦postgres://me:§@host:5432/db", "rsync¦me:§@host::x",
        "rsync¦me://§@host::x", "git¦clone¦https://§@host/x", "git¦clone¦https://§:@host/x", "openssl¦-passin¦pass:§", "curl¦-d¦{\"user\":\"me\",\"password\":\"§\"}", "curl¦-d¦{\"password\" : \"§\"}", "tool¦user[password]=§",
        "psql¦-c¦ALTER USER me PASSWORD '§'", "mysql¦-e¦CREATE USER me IDENTIFIED BY '§'", "redis-cli¦config¦set¦requirepass¦§",
        "tool¦-----BEGIN RSA PRIVATE KEY-----\n§\n-----END RSA PRIVATE KEY-----", "tool¦-----BEGIN¦PRIVATE¦KEY-----¦§¦-----END¦PRIVATE¦KEY-----",
        "tool¦-----BEGIN OPENSSH PRIVATE KEY-----\n§",
        "sh¦-c¦PASSWORD=§ tool -v", "sh¦-c¦PASSWORD=§", "sh¦-c¦export PASSWORD='§'; tool", "sh¦-c¦tool --password § -v", "sh¦-c¦cd /; mysql -p§ shop",
        "sh¦-c¦tool --password '§' -v", "bash¦-lc¦ssh host 'mysql -p§ shop'", "sh¦-c¦ssh host \"sh -c 'tool --token §'\"", "sh¦-c¦curl -H 'Authorization: Bearer §' http://h",
        "sh¦-c¦curl -H \"X-Auth-Token: §\" http://h", "sh¦-c¦curl -u me:§ http://h", "sh¦-c¦echo 'password: §' > /etc/x", "sh¦-c¦curl -d '{\"password\": \"§\"}' http://h",
        "sh¦-c¦P_PASSWORD=$(echo §) tool", "sh¦-c¦echo password = § >> f", "sh¦-c¦mysql -e \"CREATE USER me IDENTIFIED BY '§'\"", "sh¦-c¦wget http://me:§@h/x && rm x", "ssh¦host¦PASSWORD=§ tool",
        "postgres: tool --password §", "tool¦--token¦--password¦§",
    ];

    [Theory]
    [InlineData("rm¦-rf¦/usr/lib/x86_64-linux-gnu/NetworkManager/1.42.4/libnm-settings-plugin-ifupdown.so")]
    [InlineData("vim¦/usr/share/doc/python3-distutils/changelog.Debian.gz")]
    [InlineData("/usr/bin/dpkg¦--status-fd¦29¦--no-triggers¦--unpack¦--auto-deconfigure¦--recursive¦/tmp/apt-dpkg-install-X5dv0c")]
    [InlineData("/bin/sh¦/var/lib/dpkg/info/apache2.postinst¦configure¦2.4.57-2")]
    [InlineData("sh¦-c¦echo a > /etc/x; sed -i 's/a/b/' /etc/y | tee /z")]
    [InlineData("sed¦-i¦s/PermitRootLogin no/PermitRootLogin yes/¦/etc/ssh/sshd_config")]
    [InlineData("passwd¦root")]
    [InlineData("sudo¦-u¦postgres¦psql")]
    [InlineData("mkdir¦-p¦/a/b")]
    [InlineData("ssh¦-p¦22¦me@host")]
    [InlineData("curl¦http://host:8080/a")]
    [InlineData("git¦clone¦ssh://git@host/x")]
    [InlineData("useradd¦-m¦me")]
    [InlineData("sshd: root [priv]")]
    [InlineData("tool¦¦")]
    public void Of_WhatHoldsNoSecret_KeepsItAsItIs(string arguments)
    {
        Assert.Equal(arguments, Mask(arguments));
    }

    [Theory]
    [InlineData("mysql¦-uroot¦-phunter2¦shop", "mysql¦-uroot¦-p***¦shop")]
    [InlineData("tool¦--password=my secret word¦-v", "tool¦--password=***¦-v")]
    [InlineData("git¦clone¦https://me:hun@ter2@host/x", "git¦clone¦https://me:***@host/x")]
    [InlineData("sh¦-c¦PASSWORD=x rm /etc/y", "sh¦-c¦PASSWORD=*** rm /etc/y")]
    [InlineData("tool¦ghp_16C7e42F292c6912E7710c838347Ae178B4a", "tool¦***")]
    [InlineData("tool¦x:ZcttBsbYtrTdN+34lngBzLrhXl+5Lftkgg+GRiJpvV8=", "tool¦x:***")]
    [InlineData("tool¦/etc/x¦d41d8cd98f00b204e9800998ecf8427e", "tool¦/etc/x¦***")]
    public void Of_ASecret_MasksItAlone(string arguments, string expected)
    {
        Assert.Equal(expected, Mask(arguments));
    }

    [Fact]
    public void Of_APlantedSecretInEveryForm_NeverShowsIt()
    {
        var shown = Forms.Select(form => Mask(form.Replace("§", "hunter2", StringComparison.Ordinal))).Where(text => text.Contains("hunter2", StringComparison.Ordinal));

        Assert.Empty(shown);
    }

    [Property(MaxTest = 300)]
    public void Of_AnyPlantedSecretInAnyForm_NeverShowsIt(byte[] drawn)
    {
        // Four printable letters at its end are looked for; what a shell or a text divides stands before them.
        const string Letters = "abcXYZ019!#%*+,./:=?@^_~-";
        var secret = string.Concat(drawn.Select(value => Letters[value % Letters.Length])) + "Zq9Q";

        foreach (var form in Forms)
            Assert.DoesNotContain("Zq9Q", Mask(form.Replace("§", secret, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Property(MaxTest = 300)]
    public void Of_RandomKeys_NeverShowsOne(ulong a, ulong b, ulong c, ulong d)
    {
        var key = new byte[32];
        foreach (var (number, place) in new[] { (a, 0), (b, 8), (c, 16), (d, 24) })
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(place), unchecked(number * 0x9e3779b97f4a7c15 + (ulong)place * 0xbf58476d1ce4e5b9 + 0x94d049bb133111eb));

        Assert.Equal("tool¦***", Mask("tool¦" + Convert.ToHexStringLower(key)));
        Assert.Equal("tool¦x:***", Mask("tool¦x:" + Convert.ToBase64String(key)));
    }

    [Property(MaxTest = 500)]
    public void Of_AnyBytes_KeepsTheNumberOfArguments(byte[][] drawn)
    {
        Assert.Equal(drawn.Length, CommandLineMask.Of(drawn).Count);
    }

    private static string Mask(string arguments) => string.Join(
        Divider, CommandLineMask.Of([.. arguments.Split(Divider).Select(Encoding.UTF8.GetBytes)]).Select(Encoding.UTF8.GetString));
}
