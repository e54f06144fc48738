-- Health points that wait for the time-series server: stored before they are acknowledged, deleted when they are written.
CREATE TABLE point_batches (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    lines       BLOB    NOT NULL,   -- line protocol, nanoseconds
    line_count  INTEGER NOT NULL
);

-- How far each instance's health lane was stored.
CREATE TABLE health_watermarks (
    instance_id TEXT    NOT NULL PRIMARY KEY,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL
);
