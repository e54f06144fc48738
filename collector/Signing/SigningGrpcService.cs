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
internal sealed class SigningGrpcService(StateStore store, Seals seals, TimeProvider time) : SigningService.SigningServiceBase
{
    public override Task<ListKeysResponse> ListKeys(ListKeysRequest request, ServerCallContext context)
    {
        var response = new ListKeysResponse();
        response.Keys.AddRange(store.Read(transaction => transaction.Signatures.Keys()).Select(ToMessage));
        return Task.FromResult(response);
    }

    public override Task<TrustKeyResponse> TrustKey(TrustKeyRequest request, ServerCallContext context)
    {
        if (!VersionName.IsLine(request.Owner))
            throw Wrong("Say whose key it is: letters, digits, '.', '_' and '-', 63 at most.");

        var key = PublicKey.FromPem(request.Owner, request.Pem, time.GetUtcNow());
        return Task.FromResult(store.Write(transaction =>
        {
            if (transaction.Signatures.FindKey(key.Id) is { } known && (known.Owner != key.Owner || known.RevokedAt is not null))
                throw new SignatureException(known.RevokedAt is null ? $"That key is known as one of {known.Owner}." : $"That key of {known.Owner} was revoked; a revoked key stays so.");
            transaction.Signatures.AddKey(key);
            return new TrustKeyResponse { Key = ToMessage(transaction.Signatures.FindKey(key.Id)!) };
        }));
    }

    public override Task<RevokeKeyResponse> RevokeKey(RevokeKeyRequest request, ServerCallContext context) =>
        Task.FromResult(store.Write(transaction =>
        {
            var key = transaction.Signatures.FindKey(request.Id)
                ?? throw new RpcException(new Status(StatusCode.NotFound, $"There is no key '{request.Id}'; 'telemetryctl owners list' shows those there are."));
            if (seals.IsOwn(key))
                throw new SignatureException($"That is this collector's own key: with a new one, made when {SigningKey.FileName} in its data directory is moved away, it can be revoked.");
            transaction.Signatures.RevokeKey(key.Id, time.GetUtcNow());
            return new RevokeKeyResponse { Key = ToMessage(transaction.Signatures.FindKey(key.Id)!) };
        }));

    public override Task<GetStatementResponse> GetStatement(GetStatementRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
            new GetStatementResponse { Statement = ByteString.CopyFrom(SubjectOf(transaction, request.Baseline, request.Layer).Statement) }));

    public override Task<AddSignatureResponse> AddSignature(AddSignatureRequest request, ServerCallContext context)
    {
        store.Write(transaction =>
        {
            var (subject, owner, statement) = SubjectOf(transaction, request.Baseline, request.Layer);
            var signature = new Signature(request.KeyId, request.Signature.ToByteArray());
            var seal = seals.Of(transaction, signature, owner, statement);
            if (seal.Verdict != SealVerdict.Good)
            {
                throw new SignatureException(seal.Verdict switch
                {
                    SealVerdict.Unknown => $"The key {request.KeyId} is not known here; 'telemetryctl owners trust {owner} --key FILE' makes it known.",
                    SealVerdict.Revoked => $"The key {request.KeyId} was revoked.",
                    SealVerdict.NotOwner => $"The key is of {seal.Owner}; {owner} has to sign this.",
                    _ => "The signature does not hold for what it is of.",
                });
            }

            transaction.Signatures.Add(subject, signature);
        });
        return Task.FromResult(new AddSignatureResponse());
    }

    public override Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var (subject, owner, statement) = SubjectOf(transaction, request.Baseline, request.Layer);
            var response = new VerifyResponse { Problem = ProblemOf(transaction, request) };
            response.Signers.AddRange(seals.Of(transaction, subject, owner, statement).Select(seal => new Signer
            {
                KeyId = seal.KeyId,
                Owner = seal.Owner ?? "",
                Verdict = Deviations.DeviationView.Word(seal.Verdict),
            }));
            return response;
        }));

    private string ProblemOf(StoreTransaction transaction, VerifyRequest request)
    {
        try
        {
            if (request.SubjectCase == VerifyRequest.SubjectOneofCase.Layer)
            {
                seals.Check(transaction, LayerRegistry.Find(transaction, ParseName(request.Layer)));
            }
            else
            {
                var baseline = BaselineRegistry.Find(transaction, ParseName(request.Baseline));
                seals.Check(transaction, BaselineStack.Of(transaction, baseline), baseline);
                seals.CheckAcceptance(transaction, baseline.Name.Line, transaction.Baselines.Accepted(baseline.Name.Line));
            }

            return "";
        }
        catch (SignatureException e)
        {
            return e.Message;
        }
    }

    private static (Subject Subject, string Owner, byte[] Statement) SubjectOf(StoreTransaction transaction, string baselineName, string layerName)
    {
        if (layerName.Length > 0)
        {
            var layer = LayerRegistry.Find(transaction, ParseName(layerName));
            return (Subject.Of(layer), layer.Owner, Statement.Of(layer));
        }

        var baseline = BaselineRegistry.Find(transaction, ParseName(baselineName));
        return (Subject.Of(baseline), baseline.Owner, Statement.Of(BaselineStack.Of(transaction, baseline), baseline));
    }

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
