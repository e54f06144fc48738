-- What people decided about deviations.
CREATE TABLE decisions (
    id              INTEGER PRIMARY KEY,
    kind            INTEGER NOT NULL,   -- the state it gives: acknowledged, waived or approved
    decided_by      TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    until           INTEGER     NULL,   -- of a waiver
    layer_id        INTEGER     NULL,   -- the version it made
    baseline_id     INTEGER     NULL    -- the version it made
);

-- What each of them was about: it holds for exactly this state of the entry.
CREATE TABLE decided_entries (
    decision_id     INTEGER NOT NULL,
    deviation_id    INTEGER NOT NULL,
    instance_id     TEXT    NOT NULL,
    kind            INTEGER NOT NULL,
    key             BLOB    NOT NULL,
    actual          BLOB    NOT NULL,   -- empty: the entry is gone
    PRIMARY KEY (deviation_id, decision_id)
);

CREATE INDEX decided_entries_key ON decided_entries (instance_id, kind, key);

-- The decision a deviation has its state from, and until when that holds.
ALTER TABLE deviations ADD COLUMN decision_id   INTEGER NULL;
ALTER TABLE deviations ADD COLUMN decided_until INTEGER NULL;

-- Where else an entry became the same.
CREATE INDEX deviations_entry ON deviations (kind, key, opened_at);

CREATE INDEX deviations_decided_until ON deviations (decided_until) WHERE decided_until IS NOT NULL AND closed_at IS NULL;
