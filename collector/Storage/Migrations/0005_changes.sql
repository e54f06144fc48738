-- Processes that made changes, as messages; each once, for one process may make thousands.
CREATE TABLE actors (
    id              INTEGER PRIMARY KEY,
    digest          BLOB    NOT NULL UNIQUE,
    body            BLOB    NOT NULL
);

-- Runs of package managers, as messages; each once.
CREATE TABLE package_transactions (
    id              INTEGER PRIMARY KEY,
    digest          BLOB    NOT NULL UNIQUE,
    body            BLOB    NOT NULL
);

-- Who made which change: the newest few of a key. They annotate deviations and go after a while.
CREATE TABLE changes (
    id              INTEGER PRIMARY KEY,    -- grows in the order of arrival
    instance_id     TEXT    NOT NULL,
    kind            INTEGER NOT NULL,
    key             BLOB    NOT NULL,
    fingerprint     BLOB    NOT NULL,       -- empty: the entry was gone
    observed_at     INTEGER NOT NULL,       -- the agent's clock
    received_at     INTEGER NOT NULL,
    actor_id        INTEGER     NULL,
    transaction_id  INTEGER     NULL,
    membership      INTEGER NOT NULL,
    -- The only index that begins with the instance: beside a shorter one, SQLite would take that one for its order.
    UNIQUE (instance_id, kind, key, fingerprint)
);

CREATE INDEX changes_actor       ON changes (actor_id)       WHERE actor_id       IS NOT NULL;
CREATE INDEX changes_transaction ON changes (transaction_id) WHERE transaction_id IS NOT NULL;

-- What explains groups of deviations.
CREATE TABLE causes (
    id              INTEGER PRIMARY KEY,
    kind            INTEGER NOT NULL,
    key             BLOB    NOT NULL,       -- digest of what its members have in common; bursts of one actor share it
    summary         TEXT    NOT NULL,
    packages        BLOB        NULL,       -- message; of a package transaction
    began_at        INTEGER NOT NULL        -- the agent's clock
);

CREATE INDEX causes_key ON causes (key);

ALTER TABLE deviations ADD COLUMN actor_id   INTEGER     NULL;
ALTER TABLE deviations ADD COLUMN cause_id   INTEGER     NULL;
ALTER TABLE deviations ADD COLUMN membership INTEGER NOT NULL DEFAULT 0;  -- in the transaction that is the cause

CREATE INDEX deviations_cause ON deviations (cause_id) WHERE cause_id IS NOT NULL;
CREATE INDEX deviations_actor ON deviations (actor_id) WHERE actor_id IS NOT NULL;
