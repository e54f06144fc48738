using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Signing;

/// <summary>Keys and signatures, for people.</summary>
internal sealed class SigningGrpcService(StateStore store, Seals seals, SigningRegistry registry) : SigningService.SigningServiceBase
{
    public override Task<ListKeysResponse> ListKeys(ListKeysRequest request, ServerCallContext context)
    {
        var response = new ListKeysResponse();
        response.Keys.AddRange(store.Read(transaction => transaction.Signatures.Keys()).Select(ToMessage));
        return Task.FromResult(response);
    }

    public override Task<TrustKeyResponse> TrustKey(TrustKeyRequest request, ServerCallContext context) =>
        VersionName.IsLine(request.Owner)
            ? Task.FromResult(new TrustKeyResponse { Key = ToMessage(registry.Trust(request.Owner, request.Pem, request.Anew)) })
            : throw Wrong("Say whose key it is: letters, digits, '.', '_' and '-', 63 at most.");

    public override Task<RevokeKeyResponse> RevokeKey(RevokeKeyRequest request, ServerCallContext context) =>
        Task.FromResult(new RevokeKeyResponse { Key = ToMessage(registry.Revoke(request.Id)) });

    public override Task<GetStatementResponse> GetStatement(GetStatementRequest request, ServerCallContext context)
    {
        var version = VersionOf(request.Baseline, request.Layer);
        return Task.FromResult(store.Read(transaction => new GetStatementResponse { Statement = ByteString.CopyFrom(version.In(transaction).Statement) }));
    }

    public override Task<AddSignatureResponse> AddSignature(AddSignatureRequest request, ServerCallContext context)
    {
        registry.Add(VersionOf(request.Baseline, request.Layer), new Signature(request.KeyId, request.Signature.ToByteArray()));
        return Task.FromResult(new AddSignatureResponse());
    }

    public override Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context)
    {
        var version = VersionOf(request.Baseline, request.Layer);
        return Task.FromResult(store.Read(transaction =>
        {
            var (subject, owner, statement) = version.In(transaction);
            var response = new VerifyResponse
            {
                Problem = version.IsLayer
                    ? seals.ProblemOf(transaction, LayerRegistry.Find(transaction, version.Name))
                    : seals.ProblemOf(transaction, BaselineRegistry.Find(transaction, version.Name)),
            };
            response.Signers.AddRange(seals.Of(transaction, subject, owner, statement).Select(seal => new Signer
            {
                KeyId = seal.KeyId,
                Owner = seal.Owner ?? "",
                Verdict = Deviations.DeviationView.Word(seal.Verdict),
            }));
            return response;
        }));
    }

    private static SignedVersion VersionOf(string baseline, string layer) =>
        layer.Length > 0 ? new SignedVersion(ParseName(layer), IsLayer: true) : new SignedVersion(ParseName(baseline), IsLayer: false);

    private static VersionName ParseName(string text) => VersionName.TryParse(text) ?? throw Wrong($"Name a baseline or layer version; write {VersionName.Form}.");

    private static Protocol.V1.SigningKey ToMessage(PublicKey key) => new()
    {
        Id = key.Id,
        Owner = key.Owner,
        Pem = PemEncoding.WriteString("PUBLIC KEY", key.Bytes),
        AddedAt = key.AddedAt.ToTimestamp(),
        RevokedAt = key.RevokedAt?.ToTimestamp(),
    };

    private static RpcException Wrong(string message) => new(new Status(StatusCode.InvalidArgument, message));
}
