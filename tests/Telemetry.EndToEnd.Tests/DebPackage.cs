using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A Debian package in the making, as its builder would lay it out.</summary>
internal sealed class DebPackage(string folder, string name, string version = "1.0")
{
    private readonly List<string> _conffiles = [];

    private string Tree => Path.Combine(folder, $"{name}-{version}");

    public DebPackage File(string path, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Tree + path)!);
        System.IO.File.WriteAllText(Tree + path, text);
        System.IO.File.SetUnixFileMode(Tree + path, mode);
        return this;
    }

    public DebPackage Conffile(string path, string text)
    {
        _conffiles.Add(path);
        return File(path, text);
    }

    /// <param name="name">Such as <c>postinst</c>.</param>
    public DebPackage Script(string name, string text) => File("/DEBIAN/" + name, "#!/bin/sh\nset -e\n" + text + "\n", (UnixFileMode)0x1ed);

    public DebPackage Link(string path, string target)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Tree + path)!);
        System.IO.File.CreateSymbolicLink(Tree + path, target);
        return this;
    }

    public DebPackage Directory(string path)
    {
        System.IO.Directory.CreateDirectory(Tree + path);
        return this;
    }

    /// <param name="fields">More of them for its control file, a line each.</param>
    /// <returns>The path of the package.</returns>
    public async Task<string> Build(string architecture = "all", string fields = "")
    {
        System.IO.Directory.CreateDirectory(Tree + "/DEBIAN");
        System.IO.File.WriteAllText(Tree + "/DEBIAN/control", $"""
            Package: {name}
            Version: {version}
            Architecture: {architecture}
            Maintainer: nobody <nobody@example.com>
            Description: for a test
            {fields}
            """.TrimEnd() + "\n");
        System.IO.File.WriteAllText(Tree + "/DEBIAN/conffiles", string.Concat(_conffiles.Select(path => path + "\n")));
        Shell.Run(Tree, "find . -type f -not -path './DEBIAN/*' -printf '%P\\0' | xargs -0r md5sum > DEBIAN/md5sums");
        foreach (var path in _conffiles)
            Shell.Run(Tree, $"sed -i '\\#  {path[1..]}$#d' DEBIAN/md5sums");

        var package = Path.Combine(folder, $"{name}_{version}_{architecture}.deb");
        await Finished.Succeed("/usr/bin/dpkg-deb", "--build", "--root-owner-group", Tree, package);
        return package;
    }
}
