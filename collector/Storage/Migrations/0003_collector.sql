-- Who this collector is: the source of its events, by which their receivers tell repeats from news.
CREATE TABLE collector (
    id          TEXT    NOT NULL
);

INSERT INTO collector (id) VALUES (lower(hex(randomblob(16))));
