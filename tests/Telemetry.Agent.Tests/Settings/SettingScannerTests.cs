using System.Text;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Settings;

public sealed class SettingScannerTests : IDisposable
{
    private static readonly Policy Hosts = SettingScans.Policy(("/etc/hosts", "hosts"), ("/etc/conf.d/*.conf", "sysctl"));

    private readonly SettingScans _scans = new();
    private readonly TemporaryDirectory _state = new();

    public void Dispose()
    {
        _scans.Dispose();
        _state.Dispose();
    }

    [Fact]
    public void Scan_FilesOfSeveralPatterns_HaveTheirPathAsFirstComponent()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Tree.Write("etc/conf.d/x.conf", "a.b = 1\n");
        _scans.Tree.Write("etc/conf.d/x.bak", "a.b = 2\n");

        var keys = _scans.Look(Hosts).Entries(EntryKind.Setting).Select(entry => KeyText.Format(EntryKind.Setting, entry.Key.Bytes));

        Assert.Equal(["setting:/etc/conf.d/x.conf#a.b", "setting:/etc/hosts#10.0.0.1/a"], keys);
    }

    [Theory]
    [InlineData("mysql", "[mysqld]\nwsrep_sst_auth=sst:PLANTED\n")]
    [InlineData("crontab", "* * * * * root curl -u u:PLANTED http://h\n")]
    [InlineData("crontab", "* * * * * root redis-cli -a PLANTED ping\n")]
    [InlineData("sudoers", "alice ALL = /usr/bin/ldapsearch -w PLANTED\n")]
    [InlineData("systemd", "[Service]\nExecStart=/usr/bin/mysql -pPLANTED\nExecStop=/usr/bin/sshpass -p PLANTED ssh h\n")]
    [InlineData("apt_sources", "deb https://PLANTED@h/debian stable main\ndeb https://PLANTED:@h/debian stable main\n")]
    [InlineData("fstab", "//nas/a /mnt cifs username=u%PLANTED,vers=3 0 0\ncurlftpfs#u:PLANTED@h /ftp fuse rw 0 0\n")]
    [InlineData("php", "[Session]\nsession.save_path = \"tcp://h:6379?auth=PLANTED\"\n")]
    [InlineData("apache", "<If \"%{HTTP:X-Api-Key} == 'PLANTED'\">\nRequestHeader set Authorization \"Basic PLANTED\"\n</If>\n")]
    [InlineData("crontab", "APP_KEY=PLANTED\n")]
    [InlineData("crontab", "* * * * * root tool --auth PLANTED\n* * * * * root tool --auth=PLANTED\n")]
    [InlineData("crontab", "* * * * * root openssl enc -aes-256-cbc -k PLANTED -in a\n* * * * * root vault login PLANTED\n")]
    [InlineData("crontab", "* * * * * root echo PLANTED | sudo -S ls\n* * * * * root tool ghp_PLANTED0123456789abcdef\n")]
    [InlineData("systemd", "[Service]\nEnvironment=APP_KEY=PLANTED\nEnvironment=\"STORAGE_KEY=PLANTED\" A=b\nExecStart=/usr/bin/vault login PLANTED\n")]
    [InlineData("pam", "auth sufficient pam_radius.so secret PLANTED\nauth required pam_x.so secret=PLANTED\n")]
    [InlineData("php", "[ldap]\nldap.key = PLANTED\n")]
    [InlineData("nginx", "server {\n  listen 80;\n  proxy_set_header Authorization \"Basic PLANTED\";\n  proxy_set_header X-Api-Key PLANTED;\n}\n")]
    [InlineData("mysql", "[client]\npassword = PLANTED\nmaster_password=PLANTED\n")]
    [InlineData("json", "{\"passwords\":[\"PLANTED\",\"b\"]}")]
    [InlineData("json", "{\"auths\":{\"h\":{\"auth\":\"dTpQTEFOVEVE\"}}}")]
    [InlineData("json", "{\"api_keys\":[{\"key\":\"PLANTED\",\"for\":\"PLANTED\"}]}")]
    public void Scan_SecretInAnyPlace_IsKeyed(string format, string content)
    {
        _scans.Tree.Write("etc/file", content);

        var scanned = _scans.Look(SettingScans.Policy(("/etc/file", format)));

        Assert.Empty(scanned.Sighting.Coverage.Gaps.Select(gap => gap.Reason));
        Assert.NotEmpty(scanned.Entries(EntryKind.Setting));
        foreach (var entry in scanned.Entries(EntryKind.Setting))
        {
            var bytes = Encoding.Latin1.GetString([.. entry.Key.Bytes, .. entry.Fingerprint.Encode()]);
            Assert.DoesNotContain("PLANTED", bytes);
            Assert.DoesNotContain("dTpQTEFOVEVE", bytes);
        }
    }

    [Theory]
    [InlineData("nginx", "server {\n  listen 80;\n  ssl_certificate_key /etc/ssl/a.key;\n  proxy_cache_key $host;\n  auth_basic off;\n}\n")]
    [InlineData("sshd", "PasswordAuthentication yes\nHostKey /etc/ssh/key\nAuthorizedKeysFile .ssh/authorized_keys\n")]
    [InlineData("pam", "password required pam_unix.so obscure use_authtok try_first_pass yescrypt\n")]
    [InlineData("mysql", "[mysqld]\nssl-key = /etc/mysql/a.pem\nkey_buffer_size = 16M\n")]
    [InlineData("crontab", "* * * * * root apt-key list\n* * * * * root tar -k -xf a\n* * * * * root ssh -p 22 h\n* * * * * root tool --app-key /etc/k\n")]
    [InlineData("systemd", "[Service]\nEnvironment=KEY_FILE=/etc/k APP_KEY=/etc/app.key AUTH=none\nExecStart=/usr/bin/tool --auth none\n")]
    public void Scan_HarmlessSetting_IsPlain(string format, string content)
    {
        _scans.Tree.Write("etc/file", content);

        var settings = SettingScans.Settings(_scans.Look(SettingScans.Policy(("/etc/file", format))));

        Assert.NotEmpty(settings);
        Assert.DoesNotContain("(keyed)", settings.Values);
        Assert.False(SettingsFormat.Find(format)!.HoldsSecret(Encoding.UTF8.GetBytes(content)));
    }

    [Fact]
    public void Scan_NothingChanged_TakesOverWithoutAHelper()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Tree.Write("etc/conf.d/empty.conf", "# nothing\n");
        _scans.Tree.Write("etc/conf.d/wrong.conf", "nothing = = [\nxx\n");
        using var store = Store();
        var first = Look(store);

        var parsed = _scans.Parser.Files;
        var second = Look(store);

        Assert.Equal(parsed, _scans.Parser.Files);
        Assert.Equal(first.Roots, second.Roots);
        Assert.Equal(first.Coverage.Gaps, second.Coverage.Gaps);
    }

    [Fact]
    public void Scan_AfterARestart_SeesTheSame()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n10.0.0.2 c\n");
        using var store = Store();
        var first = Look(store);

        _scans.Outcomes = new ParseOutcomes();

        Assert.Equal(first.Roots, Look(store).Roots);
    }

    [Fact]
    public void Scan_StateIsLost_ParsesAgain()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        var first = _scans.Look(Hosts);

        var second = _scans.Look(Hosts);

        Assert.Equal(first.Sighting.Roots, second.Sighting.Roots);
        Assert.Equal(2, _scans.Parser.Files);
    }

    [Fact]
    public void Scan_OneFileChanged_ChangesItsSettingsOnly()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Tree.Write("etc/conf.d/x.conf", "a.b = 1\n");
        _scans.Tree.Write("etc/conf.d/y.conf", "a.b = 1\n");
        using var store = Store();
        Look(store);

        _scans.Tree.Write("etc/conf.d/x.conf", "a.b = 11\n");

        Assert.Equal(_scans.Look(Hosts).Sighting.Roots, Look(store).Roots);
    }

    [Fact]
    public void Scan_UnderAnotherKey_KeysSecretsAnew()
    {
        var policy = SettingScans.Policy(("/etc/file", "ini"));
        _scans.Tree.Write("etc/file", "[a]\npassword = x\n");
        using var store = Store();
        var first = Look(store, policy);

        _scans.Key = FleetKey.Random();

        var second = Look(store, policy);
        Assert.NotEqual(first.Roots, second.Roots);
        Assert.Equal(_scans.Look(policy).Sighting.Roots, second.Roots);
    }

    [Fact]
    public void Scan_DirtyFile_IsParsedWhateverItsTimesSay()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        using var store = Store();
        Look(store);

        var parsed = _scans.Parser.Files;
        _scans.Dirty = [EntryKey.OfPath("etc/hosts")];
        Look(store);

        Assert.Equal(parsed + 1, _scans.Parser.Files);
    }

    [Fact]
    public void Scan_FileThatIsNotAllowed_IsAGapAndNotParsed()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Limits = new PolicyLimits { Parsable = [KeyPattern.Parse("/etc/conf.d")] };

        var scanned = _scans.Look(Hosts);

        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.Equal("setting:/etc/hosts", KeyText.Format(gap.Kind, gap.Prefix.Bytes));
        Assert.Contains("settings.allow", gap.Reason);
        Assert.Equal(0, _scans.Parser.Files);
    }

    [Fact]
    public void Scan_SecretInAnotherFormatThanItsOwn_IsAGapAndNotParsed()
    {
        _scans.Tree.Write("etc/shadow", "root:$6$planted:19000:0:99999:7:::\n");
        _scans.Limits = new PolicyLimits { Secret = [KeyPattern.Parse("/etc/shadow")] };

        var scanned = _scans.Look(SettingScans.Policy(("/etc/shadow", "properties")));

        Assert.Contains("policy.secret", Assert.Single(scanned.Sighting.Coverage.Gaps).Reason);
        Assert.Empty(scanned.Entries(EntryKind.Setting));
    }

    [Fact]
    public void Scan_SecretOfThisMachine_IsKeyedWhateverThePolicySays()
    {
        _scans.Tree.Write("etc/shadow", "root:$6$planted:19000:0:99999:7:::\n");
        _scans.Limits = new PolicyLimits { Secret = [KeyPattern.Parse("/etc/shadow")] };

        var scanned = _scans.Look(SettingScans.Policy(("/etc/shadow", "shadow")));

        Assert.NotEmpty(scanned.Entries(EntryKind.Setting));
        Assert.All(SettingScans.Settings(scanned).Values, value => Assert.Equal("(keyed)", value));
    }

    [Fact]
    public void Scan_NoTimeLeft_SaysWhatIsLeftAndParsesItNextTime()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Budget = TimeSpan.Zero;
        var first = _scans.Look(Hosts);

        _scans.Budget = TimeSpan.FromMinutes(1);
        var second = _scans.Look(Hosts);

        Assert.Contains("in the next", Assert.Single(first.Sighting.Coverage.Gaps).Reason);
        Assert.Empty(second.Sighting.Coverage.Gaps);
        Assert.NotEmpty(second.Entries(EntryKind.Setting));
    }

    [Fact]
    public void Scan_DeeplyNestedFile_IsAGap()
    {
        _scans.Tree.Write("etc/file", string.Concat(Enumerable.Repeat("{\"a\":", 100)) + "1" + new string('}', 100));

        var scanned = _scans.Look(SettingScans.Policy(("/etc/file", "json")));

        Assert.Contains("nested", Assert.Single(scanned.Sighting.Coverage.Gaps).Reason);
    }

    [Fact]
    public void Scan_LongNameOfManySettings_TakesMemoryOnce()
    {
        var members = string.Join(',', Enumerable.Range(0, 2_000).Select(i => $"\"{i}\":\"{new string('x', 200)}\""));
        _scans.Tree.Write("etc/file", $"[{{{members}}}]");
        var before = GC.GetTotalAllocatedBytes();

        var scanned = _scans.Look(SettingScans.Policy(("/etc/file", "json")));

        // The element's text of 400 KB in each of the 2,000 names would be more than 1 GB.
        Assert.Equal(2_000, scanned.Entries(EntryKind.Setting).Count);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 300L << 20);
    }

    [Fact]
    public void Scan_FormatOfALaterVersion_IsAGap()
    {
        _scans.Tree.Write("etc/new.conf", "a = b\n");

        var scanned = _scans.Look(SettingScans.Policy(("/etc/new.conf", "of_tomorrow")));

        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.Equal(EntryKey.Of("etc/new.conf"), gap.Prefix);
        Assert.Contains("of_tomorrow", gap.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_FileOutOfScope_IsNotParsed()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");

        var scanned = _scans.Look(Hosts, WatchScope.Within(Hosts, new Scope([EntryKey.Of("usr")], [])));

        Assert.Empty(scanned.Entries(EntryKind.Setting));
    }

    [Fact]
    public void Scan_Links_AreNotFollowed()
    {
        using var outside = new TemporaryDirectory();
        outside.Write("hosts", "10.0.0.1 a b\n");
        outside.Write("d/x.conf", "a.b = 1\n");
        Directory.CreateDirectory(_scans.Tree["etc"]);
        File.CreateSymbolicLink(_scans.Tree["etc/hosts"], outside["hosts"]);
        File.CreateSymbolicLink(_scans.Tree["etc/conf.d"], outside["d"]);

        var scanned = _scans.Look(Hosts);

        Assert.Empty(scanned.Entries(EntryKind.Setting));
        Assert.Empty(scanned.Sighting.Coverage.Gaps);
    }

    [Fact]
    public void Scan_HostileFiles_AreGapsAndTheOthersAreParsed()
    {
        _scans.Tree.Write("etc/conf.d/a.conf", "a.b = 1\n");
        _scans.Tree.Write("etc/conf.d/braces.conf", new string('{', 1024 * 1024));
        _scans.Tree.Write("etc/conf.d/large.conf", new string('\n', 1024 * 1024 + 1));
        _scans.Tree.Write("etc/conf.d/zeros.conf", "a = b\0\n");
        File.WriteAllBytes(_scans.Tree["etc/conf.d/binary.conf"], Noise(100_000));
        _scans.Tree.Write("etc/deep.json", new string('[', 20_000) + new string(']', 20_000));
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        var policy = Hosts with { Settings = [.. Hosts.Settings, new SettingsFiles([KeyPattern.Parse("/etc/*.json")], "json")] };

        var scanned = _scans.Look(policy);

        Assert.Equal(2, scanned.Entries(EntryKind.Setting).Count);
        Assert.Equal(
            ["etc/conf.d/binary.conf", "etc/conf.d/braces.conf", "etc/conf.d/large.conf", "etc/conf.d/zeros.conf", "etc/deep.json"],
            scanned.Sighting.Coverage.Gaps.Select(gap => Encoding.UTF8.GetString(gap.Prefix.Bytes)));
    }

    [Fact]
    public void Scan_FileThatDoesNotParse_TellsTheLineAndNothingElse()
    {
        _scans.Tree.Write("etc/conf.d/x.conf", "a.b = 1\nPLANTED PLANTED\n");

        var gap = Assert.Single(_scans.Look(Hosts).Sighting.Coverage.Gaps);

        Assert.Equal("line 2 can't be parsed (sysctl)", gap.Reason);
    }

    [Fact]
    public void Scan_WithoutAHelper_IsOneGapThatSaysSo()
    {
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");
        _scans.Parser = new SettingsParser("/bin/false");

        var gap = Assert.Single(_scans.Look(Hosts).Sighting.Coverage.Gaps);

        Assert.Equal(EntryKey.Root, gap.Prefix);
        Assert.Contains("does not start", gap.Reason);
    }

    [Fact]
    public void Scan_SecretFile_HasKeyedValuesOnly()
    {
        var policy = SettingScans.Policy(("/etc/hosts", "hosts")) with
        {
            Rules = [new PolicyRule([KeyPattern.Parse("/etc/hosts")], Treatment.Secret, null)],
        };
        _scans.Tree.Write("etc/hosts", "10.0.0.1 a b\n");

        var entry = Assert.Single(_scans.Look(policy).Entries(EntryKind.Setting));

        Assert.Equal(Scans.Key.Digest("b"u8), entry.Fingerprint.KeyedValue);
        Assert.Null(entry.Fingerprint.Value);
    }

    [Fact]
    public void Scan_MoreSettingsThanAKeyMayBeLong_StaysWithinTheBounds()
    {
        var policy = SettingScans.Policy(("/etc/file", "json"));
        _scans.Tree.Write("etc/file", string.Concat(Enumerable.Range(0, 60).Select(_ => "{\"" + new string('k', 150) + "\":")) + "1" + new string('}', 60));

        var entry = Assert.Single(_scans.Look(policy).Entries(EntryKind.Setting));

        Assert.True(entry.Key.Length <= EntryKey.MaxLength);
    }

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(1).NextBytes(noise);
        noise.AsSpan().Replace((byte)0, (byte)1);
        return noise;
    }

    private StateStore Store() => new(_state.Path, Scans.StateOptions, Scans.LaterClock(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

    private LocalHead Look(StateStore store, Policy? policy = null) =>
        store.Look(_scans.Of(policy ?? Hosts), new ScanProgress(), TestContext.Current.CancellationToken).Head!;
}
