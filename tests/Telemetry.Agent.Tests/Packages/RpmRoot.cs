using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

/// <summary>A root in which a real rpm installs packages that a real rpmbuild made.</summary>
internal sealed class RpmRoot : IDisposable
{
    private const string Database = "/usr/lib/sysimage/rpm";

    private readonly TemporaryDirectory _folder = new();

    public RpmRoot()
    {
        Assert.SkipUnless(
            (File.Exists("/usr/bin/rpmbuild") && Environment.UserName == "root") || Environment.GetEnvironmentVariable("CI") is not null,
            "rpm installs below a root only for root, and rpmbuild must be there");
        Directory.CreateDirectory(_folder["root" + Database]);
        Directory.CreateDirectory(Copies);
        Shell.Run("/", $"rpmdb --root '{Path}' {Options} --initdb");
    }

    public string Path => _folder["root"];

    /// <summary>Where the database is.</summary>
    public string Folder => _folder["root" + Database];

    /// <summary>Where a scanner may put its copies.</summary>
    public string Copies => _folder["copies"];

    private static string Options => "--dbpath " + Database;

    /// <param name="fields">More of them for the package's specification, a line each.</param>
    public void Install(string name, string version = "1.0", string fields = "", string command = "-i")
    {
        var specification = _folder.Write($"{name}-{version}.spec", $"""
            Name: {name}
            Version: {version}
            Release: 1
            Summary: for a test
            License: MIT
            BuildArch: noarch
            {fields}
            %description
            for a test
            %files
            """);
        Shell.Run(_folder.Path, $"rpmbuild --quiet --define '_topdir {_folder["build"]}' --define '_rpmdir {_folder["built"]}' -bb '{specification}'");
        Shell.Run(_folder.Path, $"rpm --root '{Path}' {Options} --nodeps {command} built/noarch/{name}-{version}-1.noarch.rpm");
    }

    public void Erase(string name) => Shell.Run("/", $"rpm --root '{Path}' {Options} --nodeps -e {name}");

    /// <summary>A program that runs rpm and counts how often.</summary>
    public string CountingRpm()
    {
        var program = _folder.Write("counting-rpm", $"#!/bin/sh\necho run >> '{_folder["runs"]}'\nexec /usr/bin/rpm \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return program;
    }

    public int Runs => File.Exists(_folder["runs"]) ? File.ReadAllLines(_folder["runs"]).Length : 0;

    public void Dispose() => _folder.Dispose();
}
