-- Which versions of a line are accepted, newest first, as this collector signed it: rows that say otherwise were altered.
CREATE TABLE acceptances (
    line            TEXT    NOT NULL PRIMARY KEY,
    key_id          TEXT    NOT NULL,
    signature       BLOB    NOT NULL    -- ECDSA P-256 with SHA-256 over the statement
);

-- Whether it was signed of the lines from before this table.
ALTER TABLE collector ADD COLUMN has_acceptances INTEGER NOT NULL DEFAULT 0;
