using System.Data.Common;
using Dapper;
using Telemetry.Collector.Signing;

namespace Telemetry.Collector.Storage;

/// <summary>Whose signatures are accepted, and who signed what.</summary>
internal sealed class SignatureTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        "SELECT id AS Id, owner AS Owner, public_key AS PublicKey, added_at AS AddedAt, revoked_at AS RevokedAt FROM signing_keys";

    /// <summary>Adds a key; one that is known stays as it is.</summary>
    public void AddKey(PublicKey key) =>
        connection.Execute(
            """
            INSERT INTO signing_keys (id, owner, public_key, added_at) VALUES (@Id, @Owner, @Bytes, @AddedAt)
            ON CONFLICT (id) DO NOTHING
            """,
            new { key.Id, key.Owner, key.Bytes, AddedAt = key.AddedAt.ToUnixTimeMilliseconds() }, transaction);

    public PublicKey? FindKey(string id) => connection.QuerySingleOrDefault<KeyRow>(Select + " WHERE id = @id", new { id }, transaction)?.ToKey();

    public IReadOnlyList<PublicKey> Keys() =>
        [.. connection.Query<KeyRow>(Select + " ORDER BY owner, added_at", transaction: transaction).Select(row => row.ToKey())];

    /// <summary>Makes a known key somebody's from now on, whosever it was, revoked or not.</summary>
    public void ReplaceKey(PublicKey key) =>
        connection.Execute(
            "UPDATE signing_keys SET owner = @Owner, added_at = @AddedAt, revoked_at = NULL WHERE id = @Id",
            new { key.Id, key.Owner, AddedAt = key.AddedAt.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>Lines that a key's signature says something of: of a version, or of which are accepted.</summary>
    public IReadOnlyList<string> LinesSignedWith(string keyId) =>
        [.. connection.Query<string>(
            """
            SELECT b.name FROM signatures s JOIN baselines b ON b.id = s.subject_id WHERE s.subject = 'baseline' AND s.key_id = @keyId
            UNION
            SELECT line FROM acceptances WHERE key_id = @keyId
            """,
            new { keyId }, transaction)];

    public void RevokeKey(string id, DateTimeOffset at) =>
        connection.Execute(
            "UPDATE signing_keys SET revoked_at = @At WHERE id = @id AND revoked_at IS NULL", new { id, At = at.ToUnixTimeMilliseconds() }, transaction);

    public void Add(Subject subject, Signature signature) =>
        connection.Execute(
            """
            INSERT INTO signatures (subject, subject_id, key_id, signature) VALUES (@Kind, @Id, @KeyId, @Bytes)
            ON CONFLICT (subject, subject_id, key_id) DO UPDATE SET signature = excluded.signature
            """,
            new { subject.Kind, subject.Id, signature.KeyId, signature.Bytes }, transaction);

    public IReadOnlyList<Signature> Of(Subject subject) =>
        [.. connection.Query<(string KeyId, byte[] Bytes)>(
                "SELECT key_id, signature FROM signatures WHERE subject = @Kind AND subject_id = @Id ORDER BY key_id", new { subject.Kind, subject.Id }, transaction)
            .Select(row => new Signature(row.KeyId, row.Bytes))];

    /// <summary>What was signed last of which versions of a line are accepted; null: nothing yet.</summary>
    public Signature? Acceptance(string line) =>
        connection.QuerySingleOrDefault<(string KeyId, byte[] Bytes)?>(
            "SELECT key_id, signature FROM acceptances WHERE line = @line", new { line }, transaction) is var (keyId, bytes)
            ? new Signature(keyId, bytes)
            : null;

    public void SetAcceptance(string line, Signature signature) =>
        connection.Execute(
            """
            INSERT INTO acceptances (line, key_id, signature) VALUES (@line, @KeyId, @Bytes)
            ON CONFLICT (line) DO UPDATE SET key_id = excluded.key_id, signature = excluded.signature
            """,
            new { line, signature.KeyId, signature.Bytes }, transaction);

    private sealed record KeyRow(string Id, string Owner, byte[] PublicKey, long AddedAt, long? RevokedAt)
    {
        public PublicKey ToKey() => new(
            Owner,
            PublicKey,
            DateTimeOffset.FromUnixTimeMilliseconds(AddedAt),
            RevokedAt is { } revoked ? DateTimeOffset.FromUnixTimeMilliseconds(revoked) : null);
    }
}
