using System.Text.Json;
using Grpc.Core;
using Telemetry.Protocol.Mapping;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What people see of who made a deviation and why, from change records on agents' real streams.</summary>
public sealed class CauseTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Installation _installation = new();

    public async ValueTask InitializeAsync() => await _installation.StartCollector();

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Edit_BySomebody_IsTheirsInListShowAndWatch()
    {
        await using var agent = await Certified("i-1");
        await using var watch = RunningProgram.Start(
            Programs.Ctl, ["deviations", "watch", "--output", "table", "--server", _installation.Server, "--token-file", _installation.TokenFile]);
        await Seen(watch, "Following");

        var batch = new V1.ChangeBatch { Actors = { Vim() } };
        batch.Records.Add(Of(agent.Change("/etc/hosts", "edited"), actor: 1));
        await agent.Tell(batch);
        await agent.Report();

        await Seen(watch, "    by        vim? (root, logged in as anna)");
        await Seen(watch, "    cause     c-1 vim? (root, logged in as anna)");
        var listed = (await _installation.Succeed("deviations", "list", "--cause", "c-1"))[0];
        Assert.Equal(
            """{"pid":4711,"exe":"/usr/bin/vim","cmdline":"vim '/etc/my hosts'","uid":0,"login_uid":1000,"certain":false}""",
            Compact(listed.GetProperty("actor")));
        Assert.Equal("""{"id":"c-1","kind":"actor","summary":"vim? (root, logged in as anna)"}""", Compact(listed.GetProperty("cause")));
        Assert.Contains("vim? (root, logged in as anna)", await Table("deviations", "list"), StringComparison.Ordinal);
        var shown = await Table("deviations", "show", "d-1");
        Assert.Contains("by                vim? (root, logged in as anna)", shown, StringComparison.Ordinal);
        Assert.Contains("command line      vim '/etc/my hosts'", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_OnTwoInstances_IsOneCauseWithPackagesInstancesAndExamples()
    {
        await using var first = await Certified("i-1");
        await using var second = await Certified("i-2");

        await Upgrade(first);
        await Upgrade(second);

        var listed = Assert.Single((await _installation.Succeed("causes", "list")).EnumerateArray());
        Assert.Equal("dpkg: apache2 2.4.62-1 → 2.4.65-1 and 1 more package", listed.GetProperty("summary").GetString());
        Assert.Equal((6, 2, 4, 2), (Number(listed, "deviations"), Number(listed, "instances"), Number(listed, "files"), Number(listed, "unverified")));
        var shown = await _installation.Succeed("causes", "show", "c-1");
        Assert.Equal("""[{"name":"apache2","architecture":"amd64","from":"2.4.62-1","to":"2.4.65-1"},{"name":"libapr1","architecture":"amd64","from":null,"to":"1.7.2-3"}]""", Compact(shown.GetProperty("packages")));
        Assert.Equal("""["i-1","i-2"]""", Compact(shown.GetProperty("instance_ids")));
        Assert.Equal(6, shown.GetProperty("examples").GetArrayLength());
        var table = await Table("causes", "show", "c-1");
        Assert.Contains("libapr1 1.7.2-3 installed", table, StringComparison.Ordinal);
        Assert.Contains("/usr/sbin/apache2", table, StringComparison.Ordinal);
        Assert.Equal(6, (await _installation.Succeed("deviations", "list", "--cause", "c-1")).GetArrayLength());
        Assert.Equal(1, (await _installation.Ctl("causes", "show", "c-99")).ExitCode);
    }

    [Fact]
    public async Task Binding_ThatOpensDeviations_IsTheirCauseAndSaysWhoBound()
    {
        await using var certified = await Certified("i-1");
        await using var other = await WireAgent.Connect(_installation.AgentsServer, "i-2");
        await other.Tell(new V1.ChangeBatch { Actors = { Vim() }, Records = { Of(other.Change("/etc/hosts", "edited long ago"), actor: 1) } });
        await other.Report();

        await _installation.Succeed("baselines", "bind", "shop", "--instance", "i-2");

        var cause = Assert.Single((await _installation.Succeed("causes", "list", "--instance", "i-2")).EnumerateArray());
        Assert.Equal(
            ("decision", "admin bound instance i-2 to shop", "admin", 3),
            (cause.GetProperty("kind").GetString(), cause.GetProperty("summary").GetString(), cause.GetProperty("decided_by").GetString(), Number(cause, "open_deviations")));
        Assert.All((await _installation.Succeed("deviations", "list")).EnumerateArray(), deviation => Assert.Equal(JsonValueKind.Null, deviation.GetProperty("actor").ValueKind));
        Assert.Contains("decided by  admin", await Table("causes", "show", cause.GetProperty("id").GetString()!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_NoAgentSends_EndsItsStreamAndNoOther()
    {
        await using var bad = await WireAgent.Connect(_installation.AgentsServer, "i-1");
        await using var good = await WireAgent.Connect(_installation.AgentsServer, "i-2");

        await bad.Tell(new V1.ChangeBatch { Records = { Of(bad.Change("/etc/hosts", "a"), actor: 1) } });
        var status = await bad.Ended();
        good.Change("/etc/hosts", "a");
        await good.Report();

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.Contains("actor 1", status.Detail, StringComparison.Ordinal);
        Assert.Equal("connected", (await _installation.Succeed("instances", "show", "i-2")).GetProperty("state").GetString());
    }

    private static V1.Actor Vim() => new()
    {
        Pid = 4711,
        Executable = "/usr/bin/vim",
        CommandLine = { "vim", "/etc/my hosts" },
        Uid = 0,
        User = "root",
        LoginUid = 1000,
        LoginUser = "anna",
    };

    private static async Task Upgrade(WireAgent agent)
    {
        var transaction = new V1.PackageTransaction { Id = "1", Manager = "dpkg", BeganAt = DateTimeOffset.UnixEpoch.ToTimestamp() };
        transaction.Packages.Add(new V1.PackageTransition { Name = "libapr1", Architecture = "amd64", ToVersion = "1.7.2-3" });
        transaction.Packages.Add(new V1.PackageTransition { Name = "apache2", Architecture = "amd64", FromVersion = "2.4.62-1", ToVersion = "2.4.65-1" });
        var batch = new V1.ChangeBatch { Transactions = { transaction } };
        batch.Records.Add(Of(agent.Change("/usr/sbin/apache2", "new"), transaction: 1, membership: V1.Membership.Verified));
        batch.Records.Add(Of(agent.Change("/var/lib/apache2/made", "new"), transaction: 1, membership: V1.Membership.Unverified));
        batch.Records.Add(Of(agent.Change("package:dpkg/apache2:amd64", "2.4.65-1"), transaction: 1, membership: V1.Membership.Verified));
        await agent.Tell(batch);
        await agent.Report();
    }

    private static V1.ChangeRecord Of(
        V1.ChangeRecord record, uint actor = 0, uint transaction = 0, V1.Membership membership = V1.Membership.Unspecified)
    {
        record.Actor = actor;
        record.Transaction = transaction;
        record.Membership = membership;
        return record;
    }

    private async Task<WireAgent> Certified(string id)
    {
        var agent = await WireAgent.Connect(_installation.AgentsServer, id);
        agent.Change("/etc/hosts", "as certified");
        agent.Change("/usr/sbin/apache2", "as certified");
        agent.Change("package:dpkg/apache2:amd64", "2.4.62-1");
        await agent.Report();
        await _installation.Succeed("baselines", "capture", "shop:1", "--instance", id);
        await _installation.Succeed("baselines", "bind", "shop", "--instance", id);
        return agent;
    }

    private async Task<string> Table(params string[] arguments)
    {
        var finished = await _installation.Ctl([.. arguments, "--output", "table"]);
        Assert.Equal("", finished.Error);
        return finished.Output;
    }

    private static Task Seen(RunningProgram watch, string text) =>
        Eventually.True(
            () => watch.Log.Contains(text, StringComparison.Ordinal), text, TestContext.Current.CancellationToken, () => watch.Log);

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private static string Compact(JsonElement element) =>
        JsonSerializer.Serialize(element, Readable);
}
