using Grpc.Core;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Identity;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>Decisions about deviations.</summary>
internal sealed partial class DeviationGrpcService
{
    private const int MaxReasonLength = 1_000;
    private const int MaxIds = 10_000;

    public override Task<AcknowledgeResponse> Acknowledge(AcknowledgeRequest request, ServerCallContext context)
    {
        var decided = decisions.Acknowledge(ScopeOf(request.Scope), AdminToken.Holder, ReasonOf(request.Reason));
        return Task.FromResult(new AcknowledgeResponse { Decision = ToMessage(decided.Decision), LeftOut = ToMessage(decided.LeftOut) });
    }

    public override Task<WaiveResponse> Waive(WaiveRequest request, ServerCallContext context)
    {
        var until = request.Until?.ToTime("until") ?? throw Wrong("Say until when; a waiver always ends.");
        var decided = decisions.Waive(ScopeOf(request.Scope), until, AdminToken.Holder, ReasonOf(request.Reason));
        return Task.FromResult(new WaiveResponse { Decision = ToMessage(decided.Decision), LeftOut = ToMessage(decided.LeftOut) });
    }

    public override Task<ApproveResponse> Approve(ApproveRequest request, ServerCallContext context)
    {
        var into = VersionName.TryParse(request.Into) ?? throw Wrong($"Say which layer version to make; write {VersionName.Form}.");
        var owner = request.Owner.Length == 0 ? null : VersionName.IsLine(request.Owner) ? request.Owner : throw Wrong("That is not the name of an owner.");
        var approved = decisions.Approve(ScopeOf(request.Scope), into, owner, AdminToken.Holder, ReasonOf(request.Reason), request.Resolutions);
        return Task.FromResult(new ApproveResponse
        {
            Decision = ToMessage(approved.Decision),
            Deviations = (uint)approved.Deviations,
            Settled = { approved.Settled.ToDictionary() },
            LeftOut = ToMessage(approved.LeftOut),
        });
    }

    private DecisionScope ScopeOf(Protocol.V1.DecisionScope? scope)
    {
        var given = scope is null ? 0 : (scope.Ids.Count > 0 ? 1 : 0) + (scope.CauseId.Length > 0 ? 1 : 0) + (scope.InstanceId.Length > 0 ? 1 : 0);
        if (given != 1)
            throw Wrong("Say about which deviations: by their ids, a cause, or an instance; one of these.");
        if (scope!.Ids.Count > MaxIds)
            throw Wrong($"{scope.Ids.Count} ids; {MaxIds} is the limit.");

        return store.Read(transaction => new DecisionScope(
            [.. scope.Ids.Select(id => Deviation.ParseId(id) ?? throw NoDeviation(id))],
            CauseOf(transaction, scope.CauseId)?.Id,
            InstanceOf(transaction, scope.InstanceId),
            scope.WithOutliers));
    }

    private static string ReasonOf(string reason) =>
        reason.Trim() is { Length: > 0 and <= MaxReasonLength } text && Protocol.Model.EscapedText.IsPlain(text)
            ? text
            : throw Wrong($"Give a reason, of one line and at most {MaxReasonLength} characters: who reads it later was not there.");

    private Protocol.V1.Decision ToMessage(Decision decision) => store.Read(transaction => new DeviationMessages(transaction).Of(decision));

    private LeftOut ToMessage(IReadOnlyList<Causes.Outlier> outliers) => store.Read(transaction => new LeftOut
    {
        Outliers = { ToMessages(new DeviationMessages(transaction), outliers) },
        Count = (uint)outliers.Count,
        NeedIds = (uint)outliers.Count(outlier => outlier.NeedsId),
    });

    private static RpcException Wrong(string message) => new(new Status(StatusCode.InvalidArgument, message));
}
