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
