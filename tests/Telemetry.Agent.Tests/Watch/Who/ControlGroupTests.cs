using System.Text;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

/// <summary>As recorded on machines of several kinds.</summary>
public sealed class ControlGroupTests
{
    private const string Id = "4f2b9d3c8e7a61504f2b9d3c8e7a61504f2b9d3c8e7a61504f2b9d3c8e7a6150";

    [Theory]
    [InlineData("0::/system.slice/ssh.service\n", "ssh.service")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope")]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome\\x2dterminal.service\n", @"app-gnome\x5cx2dterminal.service")]
    [InlineData("0::/system.slice/cron.service/inner\n", "cron.service")]
    [InlineData("0::/init.scope\n", "init.scope")]
    [InlineData("0::/\n", "")]
    [InlineData("", "")]
    [InlineData("garbage\n\n:::\n", "")]
    [InlineData("12:pids:/system.slice/ssh.service\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service")]
    [InlineData("1:name=systemd:/\n0::/system.slice/cron.service\n", "cron.service")]
    [InlineData("0::/system.slice/docker-" + Id + ".scope\n", "docker/" + Id)]
    [InlineData("12:memory:/docker/" + Id + "\n1:name=systemd:/docker/" + Id + "\n", "docker/" + Id)]
    [InlineData("4:memory:/docker/" + Id + "\n1:name=systemd:/\n0::/\n", "docker/" + Id)]
    [InlineData("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-" + Id + ".scope\n", "containerd/" + Id)]
    [InlineData("1:name=systemd:/kubepods/besteffort/pod12/" + Id + "\n", "container/" + Id)]
    [InlineData("0::/machine.slice/libpod-" + Id + ".scope/container\n", "podman/" + Id)]
    [InlineData("0::/kubepods.slice/crio-" + Id + ".scope\n", "crio/" + Id)]
    [InlineData("0::/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + Id + "\n", "containerd/" + Id)]
    [InlineData("0::/lxc.payload.web1/system.slice/ssh.service\n", "lxc/web1")]
    [InlineData("0::/../../system.slice/a\u001b.service\n", @"a\x1b.service")]
    public void Of_ARecordedGroup_IsTheUnitOrContainer(string cgroup, string expected)
    {
        Assert.Equal(expected, ControlGroup.Of(Encoding.UTF8.GetBytes(cgroup)));
    }
}
