-- Instances to be judged anew, because what judges them changed: written with that change, deleted with the judgement.
CREATE TABLE pending_judgements (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- in this order
    instance_id     TEXT    NOT NULL UNIQUE
);

-- States of entries that somebody approved for a line: fine where an older version judges too, as long as a newer one expects them.
CREATE TABLE approved_entries (
    line            TEXT    NOT NULL,
    kind            INTEGER NOT NULL,
    key             BLOB    NOT NULL,
    actual          BLOB    NOT NULL,   -- empty: the entry is gone
    PRIMARY KEY (line, kind, key, actual)
) WITHOUT ROWID;

INSERT OR IGNORE INTO approved_entries (line, kind, key, actual)
SELECT b.name, e.kind, e.key, e.actual
  FROM decisions       d
  JOIN decided_entries e ON e.decision_id = d.id
  JOIN baselines       b ON b.id = d.baseline_id;
