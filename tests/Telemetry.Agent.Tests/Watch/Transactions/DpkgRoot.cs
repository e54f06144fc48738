using System.Diagnostics;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch.Transactions;

/// <summary>A root in which a real dpkg installs packages that a real dpkg-deb made.</summary>
internal sealed class DpkgRoot : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public DpkgRoot()
    {
        foreach (var directory in (string[])["root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/var/lib/dpkg/triggers", "root/etc"])
            Directory.CreateDirectory(_folder[directory]);
        foreach (var file in (string[])["status", "available", "diversions"])
            _folder.Write("root/var/lib/dpkg/" + file, "");
    }

    public string Path => _folder["root"];

    public string this[string name] => _folder["root/" + name];

    /// <param name="script">What its postinst does; the root is in <c>$DPKG_ROOT</c>.</param>
    public string Build(string version, string content, string script = ":")
    {
        var name = "shop-" + version;
        _folder.Write(name + "/DEBIAN/control", $"Package: shop\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\nDescription: for a test\n");
        _folder.Write(name + "/DEBIAN/conffiles", "/etc/shop.conf\n");
        _folder.Write(name + "/DEBIAN/postinst", "#!/bin/sh\nset -e\n" + script + "\n");
        _folder.Write(name + "/usr/bin/shop", content);
        _folder.Write(name + "/usr/bin/shop-" + version, version);
        _folder.Write(name + "/etc/shop.conf", "a=1\n");
        Shell.Run(_folder[name], "find usr -type f | xargs md5sum > DEBIAN/md5sums; chmod 755 DEBIAN DEBIAN/postinst");
        Shell.Run(_folder.Path, $"dpkg-deb --root-owner-group -b {name} {name}.deb");
        return _folder[name + ".deb"];
    }

    public void Run(string arguments) => Shell.Run(_folder.Path, $"dpkg {Options} {arguments}");

    public Process Start(string arguments) =>
        Process.Start(new ProcessStartInfo("bash", ["-c", $"exec dpkg {Options} {arguments}"]) { RedirectStandardOutput = true })!;

    public void Dispose() => _folder.Dispose();

    private string Options => $"--root='{Path}' --force-not-root --force-script-chrootless --log=/dev/null --force-bad-path";
}
