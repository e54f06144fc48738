-- Why an instance waits to be judged, and how often that failed.
ALTER TABLE pending_judgements ADD COLUMN decided_by TEXT        NULL;            -- whose token it was; empty: nobody's
ALTER TABLE pending_judgements ADD COLUMN decision   TEXT        NULL;            -- the last there was; NULL: none, it failed before
ALTER TABLE pending_judgements ADD COLUMN decided_at INTEGER     NULL;
ALTER TABLE pending_judgements ADD COLUMN attempts   INTEGER NOT NULL DEFAULT 0;  -- that failed
ALTER TABLE pending_judgements ADD COLUMN due_at     INTEGER     NULL DEFAULT 0;  -- not tried before; NULL: not by itself any more

-- Whose token made a decision that is a cause; NULL: it is another kind of cause.
ALTER TABLE causes ADD COLUMN decided_by TEXT NULL;

-- The head that the open deviations are of; NULL: no head was judged yet.
ALTER TABLE instances ADD COLUMN judged_head_id INTEGER NULL;

UPDATE instances SET judged_head_id = head_id WHERE judged_id IS NOT NULL;
