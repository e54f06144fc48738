-- The directory on the machine that an instance's keys are relative to.
ALTER TABLE instances ADD COLUMN root TEXT NOT NULL DEFAULT '/';

-- How often the store had been put back to an older copy when the collector started: clocks are set back, counts are not.
ALTER TABLE collector ADD COLUMN returns_at_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collector DROP COLUMN started_at;

-- What of an instance's hour waits for the time-series server, without reading the points themselves.
CREATE INDEX point_batches_owner ON point_batches (instance_id, hour, line_count) WHERE instance_id IS NOT NULL;
