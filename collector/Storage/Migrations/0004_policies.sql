-- Policies as people set them: versions never change, the newest of a name is in force. A policy that comes with the product
-- is not here; a stored one of the same name is in force instead.
CREATE TABLE policies (
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL,   -- counts from 1 within the name
    body        TEXT    NOT NULL,   -- TOML
    created_at  INTEGER NOT NULL,
    set_by      TEXT    NOT NULL,   -- who set it
    PRIMARY KEY (name, version)
);

-- The policy each baseline line judges by. A line that is not here judges by 'default'.
CREATE TABLE line_policies (
    baseline_name TEXT  NOT NULL PRIMARY KEY,
    policy_name   TEXT  NOT NULL
);

-- Since when entries of an instance can't be read in one state: known here alone, for it must not be part of any tree.
CREATE TABLE unread_entries (
    instance_id TEXT    NOT NULL,
    kind        INTEGER NOT NULL,
    key         BLOB    NOT NULL,
    since       INTEGER NOT NULL,   -- the collector's clock
    PRIMARY KEY (instance_id, kind, key)
);

CREATE INDEX unread_entries_since ON unread_entries (since);

-- The key that digests of secrets were last keyed with; its id alone, never the key. NULL before the first.
ALTER TABLE collector ADD COLUMN fleet_key_id TEXT NULL;
