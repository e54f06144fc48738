using System.Text;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class SecretMaskTests
{
    [Theory]
    [InlineData("BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet", "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet")]
    [InlineData("rd.iscsi.password=hunter2 quiet", "rd.iscsi.password=*** quiet")]
    [InlineData("systemd.setenv=DB_PASSWORD=hunter2 x", "systemd.setenv=DB_PASSWORD=*** x")]
    [InlineData("systemd.set_credential=a:hunter2", "systemd.set_credential=***")]
    [InlineData("ds=nocloud;h=web;password=hun;ter,2 quiet", "ds=nocloud;h=web;password=*** quiet")]
    [InlineData("password=\"hunter 2\" quiet", "password=*** quiet")]
    [InlineData("\"password=hunter 2\" quiet", "\"password=*** quiet")]
    [InlineData("netroot=iscsi:me:hunter2@10.0.0.1::3260::iqn", "netroot=iscsi:***@10.0.0.1::3260::iqn")]
    [InlineData("url=http://me:hun@ter2@host/x", "url=http://me:***@host/x")]
    [InlineData("url=http://token@host/x", "url=http://***@host/x")]
    [InlineData("url=ssh://me@host/x", "url=ssh://me@host/x")]
    [InlineData("-- --token hunter2 --auth-required -v", "-- --token *** --auth-required -v")]
    [InlineData("app.key=hunter2 rd.luks.key=/keyfile:UUID=1 --auth hunter2 --auth none", "app.key=*** rd.luks.key=/keyfile:UUID=1 --auth *** --auth none")]
    [InlineData("--token -v", "--token -v")]
    [InlineData("", "")]
    [InlineData("  a  b ", "  a  b ")]
    public void OfCommandLine_KeepsAllButTheSecrets(string line, string expected)
    {
        Assert.Equal(expected, Encoding.UTF8.GetString(SecretMask.OfCommandLine(Encoding.UTF8.GetBytes(line))));
    }
}
