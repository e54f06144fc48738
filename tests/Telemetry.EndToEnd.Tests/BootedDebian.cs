using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A Debian with systemd as its first process, in namespaces of its own, with the agent installed as a service.</summary>
internal sealed class BootedDebian : IAsyncDisposable
{
    private readonly RunningProgram _nspawn;

    private BootedDebian(RunningProgram nspawn) => _nspawn = nspawn;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What the console shows.</summary>
    public string Log => _nspawn.Log;

    public static async Task Prepare(DebianRoot root)
    {
        await root.Install("systemd-sysv libssl3 libaugeas0 augeas-lenses");
        Shell.Run(root.Path, $"""
            install -m 755 '{Programs.Agent}' usr/bin/
            install -m 644 '{Programs.Folder}'/*.so usr/bin/
            install -D -m 644 '{Programs.Repository}/deploy/agent.toml' etc/telemetry/agent.toml
            install -m 644 '{Programs.Repository}/deploy/telemetry-agent.service' usr/lib/systemd/system/
            install -D -m 644 '{Programs.Repository}/deploy/sysusers.d/telemetry-agent.conf' -t usr/lib/sysusers.d/
            /usr/sbin/chroot . systemd-sysusers telemetry-agent.conf
            mkdir -p etc/systemd/system/multi-user.target.wants
            ln -s /usr/lib/systemd/system/telemetry-agent.service etc/systemd/system/multi-user.target.wants/
            """);
    }

    public static async Task<BootedDebian> Start(DebianRoot root)
    {
        // All capabilities and these calls, as on a machine: what the unit takes away is what is tested.
        var booted = new BootedDebian(RunningProgram.Start(
            "/usr/bin/systemd-nspawn",
            [
                "-q", "-D", root.Path, "--register=no", "--keep-unit", "--private-network", "-b", "-M", $"telemetry-{Environment.ProcessId}",
                "--capability=all", "--system-call-filter=fanotify_init fanotify_mark open_by_handle_at name_to_handle_at",
            ]));
        await Eventually.Get(
            async () => (await booted.Run("systemctl is-system-running")).Output.Trim() is "running" or "degraded" ? "yes" : null,
            "systemd to be up",
            Cancellation,
            () => booted.Log);
        return booted;
    }

    /// <summary>Runs a script inside.</summary>
    public async Task<Finished> Run(string script)
    {
        // Of the two processes it starts, the first process of the machine inside is the one that stays.
        var first = (await Finished.Run("/usr/bin/pgrep", "-P", $"{_nspawn.ProcessId}")).Lines;
        return first.Count == 1
            ? await Finished.Run("/usr/bin/nsenter", "-t", first[0], "-m", "-u", "-i", "-n", "-p", "/bin/sh", "-euc", script)
            : new Finished(1, "", "it has not started yet");
    }

    public async Task<string> Succeed(string script)
    {
        var finished = await Run(script);
        return finished.ExitCode == 0 ? finished.Output : throw new InvalidOperationException($"'{script}' ended with {finished.ExitCode}: {finished.Error}{finished.Output}{Log}");
    }

    public async ValueTask DisposeAsync()
    {
        await _nspawn.Stop();
        await _nspawn.DisposeAsync();
    }
}
