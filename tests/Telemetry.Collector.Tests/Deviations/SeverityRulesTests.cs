using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class SeverityRulesTests
{
    [Fact]
    public void Of_FileThatBecomesSetuid_IsCritical() =>
        Assert.Equal(Severity.Critical, Of("/usr/bin/ls", Some.File(mode: 0b111_101_101), Some.File(mode: 0b100_111_101_101)));

    [Fact]
    public void Of_SetuidFileWithOtherContent_IsCritical() =>
        Assert.Equal(Severity.Critical, Of("/usr/bin/su", Some.File("a", 0b100_111_101_101), Some.File("b", 0b100_111_101_101)));

    [Fact]
    public void Of_SetuidFileThatIsRemoved_IsNotCritical() =>
        Assert.Equal(Severity.High, Of("/usr/bin/su", Some.File("a", 0b100_111_101_101), null));

    [Fact]
    public void Of_NewFileWithCapabilities_IsCritical() =>
        Assert.Equal(Severity.Critical, Of("/usr/bin/ping", null, Some.File() with { Xattrs = Digest.Of([1]) }));

    [Theory]
    [InlineData("/etc/sudoers.d/extra")]
    [InlineData("/root/.ssh/authorized_keys")]
    [InlineData("/etc/ld.so.preload")]
    public void Of_FileThatDecidesWhoMayDoWhat_IsHigh(string path) =>
        Assert.Equal(Severity.High, Of(path, null, Some.File()));

    [Fact]
    public void Of_ChangedProgram_IsHigherThanAChangedDocument() =>
        Assert.True(
            Of("/usr/bin/ls", Some.File("a", 0b111_101_101), Some.File("b", 0b111_101_101))
            > Of("/usr/share/doc/x", Some.File("a"), Some.File("b")));

    [Theory]
    [InlineData(Verdict.Different, null, false, Severity.High)]
    [InlineData(Verdict.Different, null, true, Severity.Info)]
    [InlineData(Verdict.Overdue, null, false, Severity.Medium)]
    [InlineData(Verdict.Different, Severity.Low, false, Severity.Low)]
    [InlineData(Verdict.Different, Severity.Low, true, Severity.Low)]
    [InlineData(Verdict.Overdue, Severity.Critical, false, Severity.Critical)]
    internal void Of_AFinding_IsRuledOrByItsMeaning(Verdict verdict, Severity? ruled, bool isFormOnly, Severity severity)
    {
        var change = new EntryChange(EntryKey.OfPath("/etc/ssh/sshd_config"), Some.File("a").Encode(), Some.File("b").Encode());

        Assert.Equal(severity, SeverityRules.Of(new Finding(EntryKind.File, change, verdict, ruled, isFormOnly)));
    }

    private static Severity Of(string path, Fingerprint? before, Fingerprint? after) =>
        SeverityRules.Of(EntryKind.File, new EntryChange(EntryKey.OfPath(path), before?.Encode(), after?.Encode()));
}
