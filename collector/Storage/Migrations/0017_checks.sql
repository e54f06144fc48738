-- How the checks of layers are on each instance, as it told last.
CREATE TABLE check_states (
    instance_id     TEXT    NOT NULL,
    layer           TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    owner           TEXT    NOT NULL,   -- of the layer; empty: it does not say
    state           INTEGER NOT NULL,   -- 1 OK, 2 warning, 3 critical, 4 unknown
    before          INTEGER NOT NULL,   -- the state that it had; 0: none
    since           INTEGER NOT NULL,   -- by the collector's clock
    text            TEXT    NOT NULL,
    defines_service INTEGER NOT NULL,   -- while it is critical the instance is down: then state_intervals has it, too
    PRIMARY KEY (instance_id, layer, name)
);

-- How far the lane of checks of each instance is stored.
CREATE TABLE check_watermarks (
    instance_id     TEXT    NOT NULL PRIMARY KEY,
    epoch           INTEGER NOT NULL,
    sequence        INTEGER NOT NULL
);
