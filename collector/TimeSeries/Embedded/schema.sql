-- Time series, in a file of their own: lose it, and nothing but graphs is lost. Times are milliseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS series (
    id      INTEGER PRIMARY KEY,
    key     BLOB    NOT NULL UNIQUE,    -- measurement and tags, as the line protocol writes them
    last_at INTEGER NOT NULL,           -- of its newest value, to a day
    instance_id TEXT NULL               -- whose agent told it first; NULL: the collector itself, or it is not known
);

CREATE TABLE IF NOT EXISTS fields (
    id      INTEGER PRIMARY KEY,
    name    BLOB    NOT NULL UNIQUE,    -- as the line protocol writes it
    last_at INTEGER NOT NULL DEFAULT 0, -- as a series has it; 0: it is of a file from before fields had one, and not forgotten
    instance_id TEXT NULL               -- as a series has it
);

-- What is not in chunks yet: read when the collector starts.
CREATE TABLE IF NOT EXISTS log (
    id      INTEGER PRIMARY KEY,
    lines   BLOB    NOT NULL
);

-- The batches of the point queue that were added last: those come again if the collector dies before it takes them off.
CREATE TABLE IF NOT EXISTS applied (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    digest  BLOB    NOT NULL UNIQUE     -- of its number there and its lines
);

-- A chunk of time of one series.
CREATE TABLE IF NOT EXISTS chunks (
    key     INTEGER PRIMARY KEY,        -- level, chunk of time, series: one behind the other in its bits
    body    BLOB    NOT NULL
);
