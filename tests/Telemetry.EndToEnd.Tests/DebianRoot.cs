using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A minimal Debian below a folder, made by debootstrap from where this machine gets its own packages: takes a minute.</summary>
public sealed class DebianRoot : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();

    public static bool CanBeMade => File.Exists("/usr/sbin/debootstrap") && Environment.UserName == "root";

    public string Path => _folder["root"];

    public async ValueTask InitializeAsync()
    {
        if (!CanBeMade)
            return;

        var targets = await Finished.Succeed("/usr/bin/apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)", "Identifier: Packages");
        var source = targets.Lines[0].Split(' ');
        await Finished.Succeed("/usr/sbin/debootstrap", "--variant=minbase", source[0], Path, source[1]);

        // Inside, apt goes the ways it goes on this machine; and no package starts its service.
        File.Copy("/etc/hosts", Path + "/etc/hosts", overwrite: true);
        var settings = await Finished.Succeed("/usr/bin/apt-config", "dump", "Acquire");
        await File.WriteAllLinesAsync(Path + "/etc/apt/apt.conf.d/90acquire", settings.Lines.Where(line => !line.EndsWith(" \"\";", StringComparison.Ordinal)));
        await File.WriteAllTextAsync(Path + "/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
        File.SetUnixFileMode(Path + "/usr/sbin/policy-rc.d", (UnixFileMode)0x1ed);
    }

    public Task<Finished> Install(string package) => Install(Path, package);

    /// <summary>The same in a copy.</summary>
    public static Task<Finished> Install(string root, string package) => Finished.Succeed(
        "/usr/sbin/chroot",
        root,
        "/bin/sh",
        "-ec",
        $"export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; apt-get install -y -qq --no-install-recommends {package}");

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
