using System.Data.Common;
using Dapper;
using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Storage;

/// <summary>Scopes, once each: thousands of heads share a few.</summary>
internal sealed class ScopeTable(DbConnection connection, DbTransaction transaction)
{
    public void Add(Scope scope) =>
        connection.Execute(
            "INSERT INTO scopes (digest, body) VALUES (@Digest, @Body) ON CONFLICT (digest) DO NOTHING",
            new { Digest = scope.Digest.ToArray(), Body = StoredCoverage.EncodeScope(scope) }, transaction);

    /// <summary>Forgets scopes that no head and no baseline has any more.</summary>
    /// <returns>How many were forgotten.</returns>
    public int DeleteUnreferenced(int most) =>
        connection.Execute(
            """
            DELETE FROM scopes
             WHERE digest IN (SELECT s.digest
                                FROM scopes s
                               WHERE NOT EXISTS (SELECT 1 FROM heads     h WHERE h.scope_digest = s.digest)
                                 AND NOT EXISTS (SELECT 1 FROM baselines b WHERE b.scope_digest = s.digest)
                               LIMIT @most)
            """,
            new { most }, transaction);

    public Scope? Find(Digest digest) =>
        connection.QuerySingleOrDefault<byte[]>(
            "SELECT body FROM scopes WHERE digest = @Digest", new { Digest = digest.ToArray() }, transaction)
        is { } body ? StoredCoverage.DecodeScope(body) : null;
}

/// <summary>A coverage as it lies in the store: the message without its scope, which lies once beside it.</summary>
internal static class StoredCoverage
{
    public static byte[] Encode(Coverage coverage) => coverage.ToMessage(withScope: false).ToByteArray();

    public static Coverage Decode(byte[] coverage, byte[] scope) =>
        V1.Coverage.Parser.ParseFrom(coverage).ToModel(_ => DecodeScope(scope));

    public static byte[] EncodeScope(Scope scope) =>
        scope.ToMessage().ToByteArray();

    public static Scope DecodeScope(byte[] body) => V1.Scope.Parser.ParseFrom(body).ToModel();
}
