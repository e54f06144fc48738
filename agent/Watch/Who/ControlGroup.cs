using System.Buffers;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>The systemd unit or the container that a process belongs to, by its control group (cgroups(7), proc_pid_cgroup(5)).</summary>
internal static class ControlGroup
{
    private const int IdLength = 64;

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdef"u8);

    /// <param name="cgroup">The content of <c>/proc/PID/cgroup</c>: lines <c>HIERARCHY:CONTROLLERS:PATH</c>.</param>
    /// <returns>Such as <c>ssh.service</c>, <c>session-3.scope</c>, <c>docker/1a2b…</c>; empty when it is in none.</returns>
    public static string Of(ReadOnlySpan<byte> cgroup)
    {
        // Version 2 and systemd's own hierarchy of version 1 have units; where neither has, Docker's are in the others.
        ReadOnlySpan<byte> unified = default, systemd = default, other = default;
        foreach (var range in cgroup.Split((byte)'\n'))
        {
            var line = cgroup[range];
            var first = line.IndexOf((byte)':');
            var second = first < 0 ? -1 : line[(first + 1)..].IndexOf((byte)':');
            if (second < 0)
                continue;
            var controllers = line.Slice(first + 1, second);
            var path = line[(first + second + 2)..];
            if (controllers.IsEmpty)
                unified = path;
            else if (controllers.SequenceEqual("name=systemd"u8))
                systemd = path;
            else if (path.Length > other.Length)
                other = path;
        }

        return OfPath(systemd) is { Length: > 0 } ofSystemd ? ofSystemd
            : OfPath(unified) is { Length: > 0 } ofUnified ? ofUnified
            : OfContainer(other);
    }

    /// <summary>A container tells more than the unit it runs below. Of units the innermost counts.</summary>
    private static string OfPath(ReadOnlySpan<byte> path)
    {
        if (OfContainer(path) is { Length: > 0 } container)
            return container;

        while (!path.IsEmpty)
        {
            var slash = path.LastIndexOf((byte)'/');
            var name = path[(slash + 1)..];
            if (name.EndsWith(".service"u8) || name.EndsWith(".scope"u8) || name.EndsWith(".mount"u8) || name.EndsWith(".swap"u8) || name.EndsWith(".socket"u8))
                return EscapedText.Of(name);
            path = path[..Math.Max(slash, 0)];
        }

        return "";
    }

    /// <summary>
    /// <c>/docker/ID</c>, <c>docker-ID.scope</c>, <c>cri-containerd-ID.scope</c>, <c>crio-ID.scope</c>, <c>libpod-ID.scope</c>,
    /// <c>/kubepods/…/ID</c>, <c>/default/ID</c> of containerd, <c>/lxc/NAME</c> and <c>lxc.payload.NAME</c>.
    /// </summary>
    private static string OfContainer(ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> parent = default;
        var found = "";
        foreach (var range in path.Split((byte)'/'))
        {
            var name = path[range];
            var bare = name.EndsWith(".scope"u8) ? name[..^6] : name;
            if (bare.Length >= IdLength && IsId(bare[^IdLength..]))
            {
                var kind = bare[..^IdLength].TrimEnd("-:"u8);
                kind = kind[(kind.LastIndexOf((byte)':') + 1)..];
                found = $"{Kind(kind.IsEmpty ? parent : kind)}/{EscapedText.Of(bare[^IdLength..])}";
            }
            else if (parent.SequenceEqual("lxc"u8) || name.StartsWith("lxc.payload."u8))
                found = $"lxc/{EscapedText.Of(name.StartsWith("lxc.payload."u8) ? name[12..] : name)}";
            if (!name.IsEmpty)
                parent = name;
        }

        return found;
    }

    private static string Kind(ReadOnlySpan<byte> name)
    {
        if (name.StartsWith("cri-"u8))
            name = name[4..];
        if (name.SequenceEqual("libpod"u8))
            return "podman";
        return name.SequenceEqual("docker"u8) || name.SequenceEqual("containerd"u8) || name.SequenceEqual("crio"u8)
            ? EscapedText.Of(name)
            : "container";
    }

    private static bool IsId(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(Digits);
}
