using System.Diagnostics;
using System.Text.RegularExpressions;
using Telemetry.Agent.Settings;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Settings;

public sealed partial class ParseHelperTests
{
    [Fact]
    public void Helper_BeforeItsFirstInput_HasNoRights()
    {
        using var helper = Start();
        Assert.Equal(ParseProtocol.Ready, helper.StandardOutput.BaseStream.ReadByte());

        var status = File.ReadLines($"/proc/{helper.Id}/status").ToDictionary(line => line.Split(':')[0], line => line.Split(':')[1].Trim());
        var limits = File.ReadAllLines($"/proc/{helper.Id}/limits");
        helper.StandardInput.Close();
        helper.WaitForExit();

        Assert.Equal("1", status["NoNewPrivs"]);
        Assert.Equal(0, helper.ExitCode);
        Assert.Contains(limits, line => line.StartsWith("Max core file size", StringComparison.Ordinal) && line.Contains(" 0 "));
        Assert.Contains(limits, line => line.StartsWith("Max data size", StringComparison.Ordinal) && !line.Contains("unlimited"));
        if (!Environment.IsPrivilegedProcess)
            return;
        Assert.Equal("65534\t65534\t65534\t65534", status["Uid"]);
        Assert.Equal("65534\t65534\t65534\t65534", status["Gid"]);
        Assert.Equal("", status["Groups"]);
        Assert.Equal("0000000000000000", status["CapEff"]);
        Assert.Equal("0000000000000000", status["CapPrm"]);
    }

    [Fact]
    public void Parse_OneFileOfManyEndsTheHelper_TheOthersAreParsed()
    {
        var good = new ParseRequest("Hosts.lns", "10.0.0.1 a\n"u8.ToArray());
        var deep = new ParseRequest("Json.lns", [.. Enumerable.Repeat((byte)'[', 20_000), .. Enumerable.Repeat((byte)']', 20_000), (byte)'\n']);

        using var parser = new SettingsParser(SettingScans.Agent);
        var answers = parser.Parse([good, deep, good, deep, good], () => true, TestContext.Current.CancellationToken);

        Assert.Equal([true, false, true, false, true], answers.Select(answer => answer.Tree is not null));
    }

    [Fact]
    public void Parse_AfterAnEdit_TheProcessWaitsForTheNext()
    {
        using var parser = new SettingsParser(SettingScans.Agent);
        var request = new ParseRequest("Hosts.lns", "10.0.0.1 a\n"u8.ToArray());

        var processes = new HashSet<int?>();
        for (var i = 0; i < 3; i++)
        {
            Assert.NotNull(Assert.Single(parser.Parse([request], () => true, TestContext.Current.CancellationToken)).Tree);
            processes.Add(parser.WaitingProcess);
        }

        Assert.NotNull(Assert.Single(processes));
    }

    [Fact]
    public async Task Parse_TheProcessThatWaitedIsGone_AnotherParses()
    {
        using var parser = new SettingsParser(SettingScans.Agent);
        var request = new ParseRequest("Hosts.lns", "10.0.0.1 a\n"u8.ToArray());
        parser.Parse([request], () => true, TestContext.Current.CancellationToken);

        Process.GetProcessById(parser.WaitingProcess!.Value).Kill();
        await Eventually.True(() => parser.WaitingProcess is null, "the process to be gone", TestContext.Current.CancellationToken);

        Assert.NotNull(Assert.Single(parser.Parse([request], () => true, TestContext.Current.CancellationToken)).Tree);
    }

    [Fact]
    public void Parse_AFileThatEndsTheProcessThatWaited_IsBlamed_AndNoOther()
    {
        using var parser = new SettingsParser(SettingScans.Agent);
        var good = new ParseRequest("Hosts.lns", "10.0.0.1 a\n"u8.ToArray());
        var deep = new ParseRequest("Json.lns", [.. Enumerable.Repeat((byte)'[', 20_000), .. Enumerable.Repeat((byte)']', 20_000), (byte)'\n']);
        parser.Parse([good], () => true, TestContext.Current.CancellationToken);

        Assert.Null(Assert.Single(parser.Parse([deep], () => true, TestContext.Current.CancellationToken)).Tree);
        Assert.Null(parser.WaitingProcess);
        Assert.NotNull(Assert.Single(parser.Parse([good], () => true, TestContext.Current.CancellationToken)).Tree);
    }

    [Fact]
    public void Parse_TheFilesBeforeLeftNoMemory_AnotherProcessParses()
    {
        // All lenses together are more than one process may hold.
        var requests = Directory.EnumerateFiles("/usr/share/augeas/lenses/dist", "*.aug")
            .Where(path => LensDeclaration().IsMatch(File.ReadAllText(path)))
            .Select(path => ModuleDeclaration().Match(File.ReadAllText(path)).Groups["name"].Value)
            .Order(StringComparer.Ordinal)
            .Select(module => new ParseRequest(module + ".lns", "\n"u8.ToArray()))
            .ToList();
        using var parser = new SettingsParser(SettingScans.Agent);

        var answers = parser.Parse(requests, () => true, TestContext.Current.CancellationToken);

        Assert.InRange(answers.Count, 100, 1_000);
        Assert.DoesNotContain(requests.Zip(answers), pair => pair.Second.Trouble?.Contains("can't be parsed", StringComparison.Ordinal) == false);
    }

    [Fact]
    public void Parse_UnknownLens_IsMissing()
    {
        using var parser = new SettingsParser(SettingScans.Agent);

        Assert.Throws<ParserMissingException>(
            () => parser.Parse([new ParseRequest("Nosuch.lns", "a\n"u8.ToArray())], () => true, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Parse_CalledOff_EndsTheHelper()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        using var parser = new SettingsParser(SettingScans.Agent);

        Assert.Throws<OperationCanceledException>(
            () => parser.Parse([new ParseRequest("Hosts.lns", "\n"u8.ToArray())], () => true, stop.Token));
    }

    [GeneratedRegex(@"^\s*let lns\s*=", RegexOptions.Multiline)]
    private static partial Regex LensDeclaration();

    [GeneratedRegex(@"^module\s+(?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex ModuleDeclaration();

    private static Process Start()
    {
        var start = new ProcessStartInfo(SettingScans.Agent, ["parse-settings"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        return Process.Start(start)!;
    }
}
