-- What the collector tells people of itself, beside deviations: that something needs a person, and that it needs none any more.
CREATE TABLE notices (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,   -- milliseconds since 1970
    subject TEXT    NOT NULL,   -- what it is about, one word
    is_open INTEGER NOT NULL,   -- 1: it needs a person; 0: no more
    words   TEXT    NOT NULL
);

CREATE TABLE notice_deliveries (
    route       TEXT    NOT NULL PRIMARY KEY,
    last_notice INTEGER NOT NULL
);

-- Refused lines are in a file that a person can read.
DROP TABLE refused_lines;
