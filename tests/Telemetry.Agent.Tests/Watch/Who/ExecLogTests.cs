using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

public sealed class ExecLogTests
{
    [Fact]
    public void MayHaveSince_AnExec_IsTrueOfChangesBeforeItOnly()
    {
        var log = new ExecLog();

        log.Seen(7, 10);

        Assert.True(log.MayHaveSince(7, 9));
        Assert.False(log.MayHaveSince(7, 11));
        Assert.False(log.MayHaveSince(8, 9));
    }

    [Fact]
    public void MayHaveSince_WhatWasForgotten_IsTrue()
    {
        var log = new ExecLog(capacity: 10);

        for (var pid = 1; pid <= 25; pid++)
            log.Seen(pid, (ulong)pid);

        Assert.True(log.MayHaveSince(1, 0));
        Assert.False(log.MayHaveSince(1, 10));
        Assert.True(log.MayHaveSince(15, 14));
        Assert.True(log.MayHaveSince(25, 24));
        Assert.False(log.MayHaveSince(15, 15));
    }
}
