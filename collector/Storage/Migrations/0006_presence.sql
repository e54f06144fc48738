-- Nodes are swept in steps, each of which counts: whoever looked before one and stores after it looks again.
-- And when this collector was known to run last: sessions that were open then ended then.
ALTER TABLE collector ADD COLUMN sweeps   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collector ADD COLUMN alive_at INTEGER     NULL;

-- When an instance was connected.
CREATE TABLE sessions (
    id              INTEGER PRIMARY KEY,
    instance_id     TEXT    NOT NULL,
    began_at        INTEGER NOT NULL,
    ended_at        INTEGER     NULL,   -- when it was last heard of; NULL while it lasts
    boot_id         TEXT    NOT NULL,   -- empty: unknown
    is_sampled      INTEGER NOT NULL    -- metrics were wanted: while it runs it samples, connected or not
);

CREATE INDEX sessions_instance ON sessions (instance_id, began_at);
CREATE INDEX sessions_open     ON sessions (id) WHERE ended_at IS NULL;

-- When an instance that was not connected was running: it sampled metrics, and told them later.
CREATE TABLE sample_runs (
    instance_id     TEXT    NOT NULL,
    began_at        INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL,
    PRIMARY KEY (instance_id, began_at)
);

-- From the last sign of life before a boot to the boot.
CREATE TABLE boot_gaps (
    instance_id     TEXT    NOT NULL,
    began_at        INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL,
    PRIMARY KEY (instance_id, began_at)
);

-- What became of the metric points of an instance and hour.
CREATE TABLE point_accounts (
    instance_id     TEXT    NOT NULL,
    hour            INTEGER NOT NULL,   -- when it began
    epoch           INTEGER NOT NULL,   -- of the agent that collected them
    collected       INTEGER NOT NULL,   -- as the agent counts
    stored          INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,   -- no time-series store could take them
    lost_full       INTEGER NOT NULL,   -- by the agent, for want of room
    lost_damaged    INTEGER NOT NULL,   -- by the agent: its disk gave them back wrong
    PRIMARY KEY (instance_id, hour, epoch)
);

-- Another machine claimed to be this instance while it was connected.
ALTER TABLE instances ADD COLUMN contested_at INTEGER NULL;
