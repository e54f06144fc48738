-- Times are milliseconds since 1970, UTC. Roots and digests are 32 bytes. Keys and fingerprints are as the model encodes them.

-- Nodes of all trees, once for the whole fleet. A node is here only after its children: present means complete.
CREATE TABLE nodes (
    id          INTEGER PRIMARY KEY,
    digest      BLOB    NOT NULL UNIQUE,
    level       INTEGER NOT NULL,
    first_key   BLOB    NOT NULL,
    last_key    BLOB    NOT NULL,
    is_sealed   INTEGER NOT NULL,
    can_be_root INTEGER NOT NULL,
    entries     INTEGER NOT NULL,
    body        BLOB    NOT NULL
);

-- What was meant to be scanned, by its digest.
CREATE TABLE scopes (
    digest      BLOB NOT NULL PRIMARY KEY,
    body        BLOB NOT NULL
);

CREATE TABLE instances (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    agent_version   TEXT    NOT NULL,
    instance_group  TEXT    NOT NULL,
    customer        TEXT    NOT NULL,
    tags            TEXT    NOT NULL,   -- JSON object of strings
    image           TEXT    NOT NULL,
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    head_id         INTEGER     NULL,   -- newest complete head; its position is the watermark of the state lane
    judged_id       INTEGER     NULL,   -- baseline version the open deviations were judged against
    comparison      TEXT    NOT NULL    -- what the last comparison left out
);

-- Everything an instance ever was.
CREATE TABLE heads (
    id              INTEGER PRIMARY KEY,
    instance_id     TEXT    NOT NULL,
    epoch           INTEGER NOT NULL,
    sequence        INTEGER NOT NULL,
    file_root       BLOB    NOT NULL,
    package_root    BLOB    NOT NULL,
    setting_root    BLOB    NOT NULL,
    system_root     BLOB    NOT NULL,
    scope_digest    BLOB    NOT NULL,
    coverage        BLOB    NOT NULL,   -- message without its scope
    observed_at     INTEGER NOT NULL,   -- the agent's clock
    observed_after  INTEGER     NULL,   -- the agent's clock
    received_at     INTEGER NOT NULL,
    UNIQUE (instance_id, epoch, sequence)
);

CREATE TABLE baselines (
    id              INTEGER PRIMARY KEY, -- order of creation
    name            TEXT    NOT NULL,
    version         TEXT    NOT NULL,
    file_root       BLOB    NOT NULL,
    package_root    BLOB    NOT NULL,
    setting_root    BLOB    NOT NULL,
    system_root     BLOB    NOT NULL,
    scope_digest    BLOB    NOT NULL,
    coverage        BLOB    NOT NULL,
    source          TEXT    NOT NULL,
    entries         INTEGER NOT NULL,
    observed_at     INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE bindings (
    selector        TEXT    NOT NULL,   -- instance, image or tag
    value           TEXT    NOT NULL,
    baseline_name   TEXT    NOT NULL,
    PRIMARY KEY (selector, value)
);

-- One row per episode.
CREATE TABLE deviations (
    id              INTEGER PRIMARY KEY,
    instance_id     TEXT    NOT NULL,
    kind            INTEGER NOT NULL,
    key             BLOB    NOT NULL,
    severity        INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    baseline_id     INTEGER NOT NULL,
    expected        BLOB        NULL,
    actual          BLOB        NULL,
    opened_at       INTEGER NOT NULL,
    closed_at       INTEGER     NULL,
    observed_after  INTEGER     NULL,   -- the agent's clock
    observed_before INTEGER NOT NULL,   -- the agent's clock
    transitions     INTEGER NOT NULL    -- how many so far; numbers the events of this episode
);

CREATE UNIQUE INDEX deviations_open ON deviations (instance_id, kind, key) WHERE closed_at IS NULL;

-- The outbox: every transition of every deviation, in order, written in the transaction that made it.
-- Subscriptions and alert routes read it behind their own cursor.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    deviation_id    INTEGER NOT NULL,
    number          INTEGER NOT NULL,   -- within the episode, from 1
    transition      INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    body            BLOB    NOT NULL    -- the deviation as it was right after, as message
);

-- How far each alert route has delivered.
CREATE TABLE deliveries (
    route           TEXT    NOT NULL PRIMARY KEY,
    last_event      INTEGER NOT NULL
);
