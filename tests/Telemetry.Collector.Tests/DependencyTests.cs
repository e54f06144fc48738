using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

/// <summary>The dependency rules of ARCHITECTURE.md.</summary>
public sealed class DependencyTests
{
    private static readonly string[] Deciding =
    [
        "Telemetry.Collector.Compare",
        "Telemetry.Collector.Baselines.Binding",
        "Telemetry.Collector.Causes.CauseIdentity",
        "Telemetry.Collector.Causes.CauseText",
        "Telemetry.Collector.Causes.StoredChange",
        "Telemetry.Collector.Deviations.DeviationTracker",
        "Telemetry.Collector.Deviations.DriftTimeline",
        "Telemetry.Collector.Deviations.SeverityRules",
        "Telemetry.Collector.Policies.ScopeWidening",
        "Telemetry.Collector.TimeSeries.LineProtocol",
    ];

    private static readonly IReadOnlyList<CodeReference> All = CodeReference.AllOf(typeof(Pipeline).Assembly, "Telemetry.Collector");

    [Fact]
    public void Decisions_InTheirCode_KnowNoStoreNoClockNoLogger() =>
        Assert.DoesNotContain(From(Deciding), reference =>
            reference.IsTo("Telemetry.Collector.Storage")
            || reference.IsTo("System.TimeProvider")
            || reference.IsTo("Microsoft.Extensions.Logging")
            || reference.IsTo("System.IO"));

    [Fact]
    public void RpcException_OutsideServicesAndCommands_IsUnknown() =>
        Assert.DoesNotContain(All, reference =>
            reference.IsTo("Grpc.Core.RpcException")
            && !reference.From.Contains("GrpcService", StringComparison.Ordinal)
            && !reference.IsFrom("Telemetry.Collector.Refusals")
            && !reference.IsFrom("Telemetry.Collector.Cli"));

    [Fact]
    public void Messages_InTheMainFlow_AreOnlyWrittenNeverDecidedOn() =>
        Assert.DoesNotContain(From(["Telemetry.Collector.Compare", "Telemetry.Collector.Deviations.DeviationTracker", "Telemetry.Collector.Deviations.SeverityRules", "Telemetry.Collector.Baselines.BaselineRegistry", "Telemetry.Collector.Policies.PolicyRegistry", "Telemetry.Collector.Policies.ScopeWidening"]), reference => reference.IsTo("Telemetry.Protocol.V1"));

    [Fact]
    public void References_OfTheStages_AreSeenByThisTest()
    {
        // So that the tests above cannot pass by seeing nothing.
        Assert.Contains(All, reference => reference.IsFrom("Telemetry.Collector.Pipeline") && reference.IsTo("Telemetry.Collector.Storage.StateStore"));
        Assert.Contains(All, reference => reference.IsFrom("Telemetry.Collector.Fleet.FleetGrpcService") && reference.IsTo("Grpc.Core.RpcException"));
        Assert.All(Deciding, name => Assert.Contains(All, reference => reference.IsFrom(name)));
    }

    private static IEnumerable<CodeReference> From(string[] names) =>
        All.Where(reference => Array.Exists(names, reference.IsFrom));
}
