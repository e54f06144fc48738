-- Keys of those whose signatures are accepted: owners of layers, and collectors, this one among them.
CREATE TABLE signing_keys (
    id              TEXT    NOT NULL PRIMARY KEY,   -- the first 8 bytes of the SHA-256 of the public key, in hex
    owner           TEXT    NOT NULL,               -- 'collector' for a collector's
    public_key      BLOB    NOT NULL,               -- SubjectPublicKeyInfo
    added_at        INTEGER NOT NULL,
    revoked_at      INTEGER     NULL
);

-- Signatures of layer and baseline versions: ECDSA P-256 with SHA-256 over their statement.
CREATE TABLE signatures (
    subject         TEXT    NOT NULL,   -- layer or baseline
    subject_id      INTEGER NOT NULL,
    key_id          TEXT    NOT NULL,   -- may be of a key that is not known (yet)
    signature       BLOB    NOT NULL,
    PRIMARY KEY (subject, subject_id, key_id)
);
