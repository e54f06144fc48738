using System.Text;
using Telemetry.Agent.Settings;

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
    [InlineData("text\n-----BEGIN RSA PRIVATE KEY-----\n")]
    public void Holds_Secret_IsTrue(string text)
    {
        Assert.True(SecretText.Holds(Encoding.UTF8.GetBytes(text)));
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
    public void Holds_NoSecret_IsFalse(string text)
    {
        Assert.False(SecretText.Holds(Encoding.UTF8.GetBytes(text)));
    }

    [Theory]
    [InlineData("password required pam_unix.so obscure try_first_pass yescrypt", false)]
    [InlineData("PermitRootLogin prohibit-password", false)]
    [InlineData("auth required pam_mysql.so user=a passwd=x", true)]
    public void HoldsAssignment_TakesEqualsSignsOnly(string text, bool expected)
    {
        Assert.Equal(expected, SecretText.HoldsAssignment(Encoding.UTF8.GetBytes(text)));
    }
}
