using System.Text;
using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class SecretNamesTests
{
    [Theory]
    [InlineData("password")]
    [InlineData("PASSWORD")]
    [InlineData("db_password")]
    [InlineData("db-passwd")]
    [InlineData("spring.datasource.password")]
    [InlineData("bindPassword")]
    [InlineData("DBPassword")]
    [InlineData("my password")]
    [InlineData("keystorepassword")]
    [InlineData("password2")]
    [InlineData("password_2")]
    [InlineData("MYSQL_PWD")]
    [InlineData("ssl.key.passphrase")]
    [InlineData("smtp_pass")]
    [InlineData("client_secret")]
    [InlineData("clientSecret")]
    [InlineData("secrets")]
    [InlineData("vault_token")]
    [InlineData("authToken")]
    [InlineData("auth_token")]
    [InlineData("systemd.set_credential")]
    [InlineData("systemd.set_credential_binary")]
    [InlineData("credentials")]
    [InlineData("wpa_psk")]
    [InlineData("psk")]
    [InlineData("api_key")]
    [InlineData("apiKey")]
    [InlineData("APIKey")]
    [InlineData("apikey")]
    [InlineData("api-keys")]
    [InlineData("PrivateKey")]
    [InlineData("PresharedKey")]
    [InlineData("aws_secret_access_key")]
    [InlineData("secretKey")]
    [InlineData("encryption.key")]
    [InlineData("secret_key_base")]
    [InlineData("requirepass")]
    [InlineData("masterauth")]
    [InlineData("olcRootPW")]
    [InlineData("net.ipv6.conf.all.stable_secret")]
    [InlineData("rd.iscsi.in.password")]
    public void IsSecret_NameOfASecret_IsTrue(string name)
    {
        Assert.True(SecretNames.IsSecret(Encoding.UTF8.GetBytes(name)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("___")]
    [InlineData("42")]
    [InlineData("PasswordAuthentication")]
    [InlineData("PermitEmptyPasswords")]
    [InlineData("PASS_MAX_DAYS")]
    [InlineData("password_file")]
    [InlineData("passwordFile")]
    [InlineData("ServerTokens")]
    [InlineData("max_tokens")]
    [InlineData("proxy_pass")]
    [InlineData("ProxyPass")]
    [InlineData("fastcgi_pass")]
    [InlineData("NOPASSWD")]
    [InlineData("bypass")]
    [InlineData("compass")]
    [InlineData("ssl_certificate_key")]
    [InlineData("HostKey")]
    [InlineData("AuthorizedKeysFile")]
    [InlineData("aws_access_key_id")]
    [InlineData("keyboard")]
    [InlineData("key")]
    [InlineData("public_key")]
    [InlineData("monkey")]
    [InlineData("tokenizer")]
    [InlineData("secretary")]
    [InlineData("rd.luks.key")]
    [InlineData("root")]
    public void IsSecret_OtherName_IsFalse(string name)
    {
        Assert.False(SecretNames.IsSecret(Encoding.UTF8.GetBytes(name)));
    }

    [Theory]
    [InlineData("APP_KEY", "ZqSec90", true)]
    [InlineData("ldap.key", "ZqSec90", true)]
    [InlineData("storageKey", "\"ZqSec90\"", true)]
    [InlineData("--auth", "ZqSec90", true)]
    [InlineData("--http-auth", "ZqSec90", true)]
    [InlineData("password", "/x", true)]
    [InlineData("APP_KEY", "/etc/app.key", false)]
    [InlineData("APP_KEY", "$KEY", false)]
    [InlineData("APP_KEY", "", false)]
    [InlineData("APP_KEY", "12", false)]
    [InlineData("ssl_certificate_key", "ZqSec90", false)]
    [InlineData("sort_key", "ZqSec90", false)]
    [InlineData("api key", "ZqSec90", true)]
    [InlineData("fix key", "ZqSec90", false)]
    [InlineData("key", "ZqSec90", false)]
    [InlineData("--auth", "none", false)]
    [InlineData("auth", "ZqSec90", false)]
    public void IsSecret_WithItsValue_TellsKeysFromPlaces(string name, string value, bool expected)
    {
        Assert.Equal(expected, SecretNames.IsSecret(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value)));
    }

    [Fact]
    public void IsSecret_LongName_LooksAtItsEnd()
    {
        var name = Encoding.UTF8.GetBytes(new string('x', 10_000) + "_password");

        Assert.True(SecretNames.IsSecret(name));
    }

    [Property(MaxTest = 500)]
    public void IsSecret_AnyWordsBefore_StillSecret(byte[] before)
    {
        Assert.True(SecretNames.IsSecret([.. before, .. "_client_password"u8]));
    }
}
