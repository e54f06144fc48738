-- When an instance booted, by the collector's clock. Whether it was down before one is decided when that is asked for: samples
-- that it took before may come later.
CREATE TABLE boots (
    instance_id     TEXT    NOT NULL,
    booted_at       INTEGER NOT NULL,
    is_proof        INTEGER NOT NULL,   -- it sampled until it went down, and both boots are known
    PRIMARY KEY (instance_id, booted_at)
);

INSERT INTO boots (instance_id, booted_at, is_proof)
     SELECT DISTINCT instance_id, ended_at, 1 FROM boot_gaps;

DROP TABLE boot_gaps;

-- How often an instance samples, in milliseconds: agents that do not say so do it every ten seconds.
ALTER TABLE sessions    ADD COLUMN sampling INTEGER NOT NULL DEFAULT 10000;
ALTER TABLE sample_runs ADD COLUMN sampling INTEGER NOT NULL DEFAULT 10000;

-- When something else than a lack of contact says that an instance was down.
CREATE TABLE state_intervals (
    instance_id     TEXT    NOT NULL,
    source          INTEGER NOT NULL,   -- 1: a check that defines the service fails; 2: stopped, as the cloud says
    name            TEXT    NOT NULL,   -- which check; else empty
    began_at        INTEGER NOT NULL,
    ended_at        INTEGER     NULL,   -- NULL while it lasts
    PRIMARY KEY (instance_id, source, name, began_at)
);

-- Points that were dropped because nobody wanted them: no time-series store is configured.
ALTER TABLE point_accounts ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;

-- Why points were rejected: of point_accounts.rejected.
CREATE TABLE rejections (
    instance_id     TEXT    NOT NULL,
    hour            INTEGER NOT NULL,   -- when it began
    reason          INTEGER NOT NULL,
    points          INTEGER NOT NULL,
    PRIMARY KEY (instance_id, hour, reason)
);

-- Whose points wait: what the server refuses of them is accounted for. NULL: the collector's own.
ALTER TABLE point_batches ADD COLUMN instance_id TEXT    NULL;
ALTER TABLE point_batches ADD COLUMN hour        INTEGER NULL;
ALTER TABLE point_batches ADD COLUMN epoch       INTEGER NULL;

-- Lines that the server refused, with its words; the newest of them.
CREATE TABLE refused_lines (
    id              INTEGER PRIMARY KEY,
    instance_id     TEXT        NULL,
    at              INTEGER NOT NULL,
    line            BLOB    NOT NULL,   -- its beginning
    words           TEXT    NOT NULL
);

-- Reports of a lane that never came: those after them did.
CREATE TABLE lane_gaps (
    id              INTEGER PRIMARY KEY,
    instance_id     TEXT    NOT NULL,
    lane            INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    from_sequence   INTEGER NOT NULL,
    to_sequence     INTEGER NOT NULL,   -- the last of them
    noticed_at      INTEGER NOT NULL
);

CREATE INDEX lane_gaps_instance ON lane_gaps (instance_id, lane, id);

-- A store that was put back to an older copy gives no number again that it gave after that copy: those begin anew above the floor.
ALTER TABLE collector ADD COLUMN started_at INTEGER     NULL;
ALTER TABLE collector ADD COLUMN id_floor   INTEGER NOT NULL DEFAULT 0;

-- Positions in the outbox between these two are of a store that is no more.
CREATE TABLE store_returns (
    at          INTEGER NOT NULL,
    last_event  INTEGER NOT NULL,
    floor       INTEGER NOT NULL
);

-- An instance had acknowledgements of what this store does not have: how often, and when last.
ALTER TABLE instances ADD COLUMN returns     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN returned_at INTEGER     NULL;

-- How far its clock is behind the collector's, in milliseconds; less than 0: ahead. NULL: never measured.
ALTER TABLE instances ADD COLUMN clock_offset INTEGER NULL;
