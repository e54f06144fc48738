using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>On a real Debian, dpkg and the agent agree on which packaged files differ: fresh, after an installation, and after edits by hand.</summary>
[Trait("Category", "Long")]
public sealed class DebianVerifyTests(DebianRoot root) : IClassFixture<DebianRoot>
{
    [Fact]
    public async Task Verify_ThroughItsLife_AgreesWithDpkg()
    {
        Assert.SkipUnless(DebianRoot.CanBeMade || Environment.GetEnvironmentVariable("CI") is not null, "debootstrap, and root to run it, are needed");
        await Same(expected: 0);

        await root.Install("apache2");
        await Same(expected: 0);

        // dpkg's record knows neither modes nor where a link leads: the last three are nobody's to find there.
        Shell.Run(root.Path, """
            echo '# edited' >> etc/apache2/apache2.conf
            rm etc/apache2/ports.conf
            echo '# edited' >> etc/login.defs
            echo more >> usr/sbin/apache2
            printf X | dd of=usr/bin/env bs=1 seek=100 conv=notrunc status=none
            rm usr/share/doc/apache2/copyright
            rm usr/lib/apache2/modules/mod_alias.so && ln -s mod_dir.so usr/lib/apache2/modules/mod_alias.so
            rm usr/sbin/apachectl
            mv usr/bin/dash usr/bin/dash.real && printf '#!/bin/dash.real\n' > usr/bin/dash && chmod 0755 usr/bin/dash
            chmod 0755 usr/bin/passwd
            ln -sfn /tmp/sh usr/bin/sh
            chown 1000 usr/bin/id
            """);
        await Same(expected: 9);
    }

    private async Task Same(int expected)
    {
        var dpkg = await Verification.ByDpkg(root.Path);

        var agent = await Verification.ByAgent(root.Path);

        Assert.Equal(Text(dpkg), Text(agent));
        Assert.Equal(expected, agent.Count);
    }

    private static string Text(IDictionary<string, string> found) => string.Join('\n', found.Select(pair => $"{pair.Key}: {pair.Value}"));
}
