using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

public sealed class AttributionTests
{
    private readonly Kit _kit = new(new FileTree
    {
        ["/etc"] = Directory,
        ["/etc/motd"] = Some.File("welcome"),
    });

    private static Fingerprint Directory => new() { Type = FileType.Directory, Mode = 0b111_101_101, Uid = 0, Gid = 0 };

    [Theory]
    [InlineData("/etc/motd", "quiet:1", "quiet-vendor")]
    [InlineData("/etc/apache2/apache2.conf", "apache:1", "apache-vendor")]
    [InlineData("/etc/apache2/conf.d/added.conf", "apache:1", "apache-vendor")]
    [InlineData("/etc/apache2/mods/security/rules", "shield:1", "shield-vendor")]
    [InlineData("/etc/added", "base:1", "base")]
    [InlineData("package:dpkg/libapache2-mod-php:amd64", "apache:1", "apache-vendor")]
    [InlineData("package:dpkg/nmap:amd64", "base:1", "base")]
    [InlineData("setting:/etc/apache2/apache2.conf#Timeout", "apache:1", "apache-vendor")]
    [InlineData("setting:/etc/motd#x", "quiet:1", "quiet-vendor")]
    public void Entry_BelongsToWhoWritesIt_ElseToWhoClaimsIt_ElseToWhoMadeItsDirectory(string name, string layer, string owner)
    {
        var (kind, key) = KeyText.Parse(name);
        var apache = _kit.Layer(
            "apache",
            tree =>
            {
                tree["/etc/apache2"] = Directory;
                tree["/etc/apache2/apache2.conf"] = Some.File("a");
            },
            "owns = [\"package:dpkg/libapache2-*\", \"/etc/apache2\"]");
        var quiet = _kit.Layer("quiet", tree => tree.Remove("/etc/motd"));
        var shield = _kit.Layer("shield", tree => tree["/srv/shield"] = Some.File(), "owns = [\"/etc/apache2/mods/security\"]");

        var attributed = new Attribution(_kit.Nodes, _kit.Start, [apache, quiet, shield]).Of(kind, key);

        Assert.Equal(new Attributed(layer, owner), attributed);
    }

    [Fact]
    public void Entry_ThatTwoLayersClaimAlike_IsTheUpperOnes_AndMergeSaysSo()
    {
        var lower = _kit.Layer("lower", tree => tree["/srv/lower"] = Some.File(), "owns = [\"/opt/app\"]");
        var upper = _kit.Layer("upper", tree => tree["/srv/upper"] = Some.File(), "owns = [\"/opt/app\", \"/opt/other\"]");
        var (kind, key) = KeyText.Parse("/opt/app/added");

        var attributed = new Attribution(_kit.Nodes, _kit.Start, [lower, upper]).Of(kind, key);
        var composed = _kit.Compose(lower, upper);

        Assert.Equal(new Attributed("upper:1", "upper-vendor"), attributed);
        Assert.Empty(composed.Conflicts);
        Assert.StartsWith("/opt/app is claimed by lower:1 of lower-vendor and upper:1 of upper-vendor alike", Assert.Single(composed.Warnings), StringComparison.Ordinal);
    }
}
