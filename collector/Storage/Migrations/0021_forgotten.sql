-- Events are forgotten with the history they belong to.
CREATE INDEX events_at ON events (at);

-- Position of the newest that is forgotten: whoever follows from before it would miss some.
ALTER TABLE collector ADD COLUMN forgotten_event INTEGER NOT NULL DEFAULT 0;
