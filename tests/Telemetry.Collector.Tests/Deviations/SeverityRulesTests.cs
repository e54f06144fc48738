using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class SeverityRulesTests
{
    [Theory]
    [InlineData(null, false, Severity.Low)]
    [InlineData(Severity.High, false, Severity.High)]
    [InlineData(null, true, Severity.Info)]
    public void Of_WhatALayersOwnerSays_IsBehindThePolicyAndMereForm(Severity? ruled, bool isFormOnly, Severity expected) =>
        Assert.Equal(expected, SeverityRules.Of(Finding(Some.File("a"), Some.File("b")) with { Ruled = ruled, IsFormOnly = isFormOnly }));

    [Fact]
    public void Of_WhatALayersOwnerSays_PlaysNoGainOfRightsDown() =>
        Assert.Equal(Severity.Critical, SeverityRules.Of(Finding(Some.File(mode: 0b111_101_101), Some.File(mode: 0b100_111_101_101))));

    private static Finding Finding(Fingerprint before, Fingerprint after) => new(
        EntryKind.File, new EntryChange(EntryKey.OfPath("/srv/x"), before.Encode(), after.Encode()), Verdict.Different)
    { Said = Severity.Low };

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

    /// <summary>Layers that share a file have only its settings to differ by.</summary>
    [Theory]
    [InlineData("setting:/etc/sudoers#bob", Severity.High)]
    [InlineData("setting:/etc/ssh/sshd_config#PermitRootLogin", Severity.High)]
    [InlineData("setting:/etc/hosts#localhost", Severity.Medium)]
    public void Of_SettingOfAFileThatDecidesWhoMayDoWhat_IsHigh(string key, Severity expected) =>
        Assert.Equal(expected, SeverityRules.Of(EntryKind.Setting, new EntryChange(KeyText.Parse(key).Key, null, Some.File().Encode())));

    [Fact]
    public void Of_ChangedProgram_IsHigherThanAChangedDocument() =>
        Assert.True(
            Of("/usr/bin/ls", Some.File("a", 0b111_101_101), Some.File("b", 0b111_101_101))
            > Of("/usr/share/doc/x", Some.File("a"), Some.File("b")));

    [Theory]
    [InlineData(false, null, false, Severity.High)]
    [InlineData(false, null, true, Severity.Info)]
    [InlineData(true, null, false, Severity.Medium)]
    [InlineData(false, Severity.Low, false, Severity.Low)]
    [InlineData(false, Severity.Low, true, Severity.Low)]
    [InlineData(true, Severity.Critical, false, Severity.Critical)]
    public void Of_AFinding_IsRuledOrByItsMeaning(bool isOverdue, Severity? ruled, bool isFormOnly, Severity severity)
    {
        var change = new EntryChange(EntryKey.OfPath("/etc/ssh/sshd_config"), Some.File("a").Encode(), Some.File("b").Encode());

        var verdict = isOverdue ? Verdict.Unread : Verdict.Different;

        Assert.Equal(severity, SeverityRules.Of(new Finding(EntryKind.File, change, verdict, ruled, isFormOnly, isOverdue)));
    }

    private static Severity Of(string path, Fingerprint? before, Fingerprint? after) =>
        SeverityRules.Of(EntryKind.File, new EntryChange(EntryKey.OfPath(path), before?.Encode(), after?.Encode()));
}
