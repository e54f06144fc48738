-- Layers: named, versioned, owned deltas. Two trees of each kind hold the entries they write, as they were and as they leave them.
CREATE TABLE layers (
    id                  INTEGER PRIMARY KEY, -- order of creation
    name                TEXT    NOT NULL,
    version             TEXT    NOT NULL,
    owner               TEXT    NOT NULL,
    before_file_root    BLOB    NOT NULL,
    before_package_root BLOB    NOT NULL,
    before_setting_root BLOB    NOT NULL,
    before_system_root  BLOB    NOT NULL,
    after_file_root     BLOB    NOT NULL,
    after_package_root  BLOB    NOT NULL,
    after_setting_root  BLOB    NOT NULL,
    after_system_root   BLOB    NOT NULL,
    claims              TEXT    NOT NULL,   -- TOML; empty: it claims nothing
    source              TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    UNIQUE (name, version)
);

-- What a composed baseline version was made of.
CREATE TABLE baseline_layers (
    baseline_id     INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    layer_id        INTEGER NOT NULL,
    PRIMARY KEY (baseline_id, position)
);

ALTER TABLE baselines ADD COLUMN owner       TEXT    NOT NULL DEFAULT 'base';
ALTER TABLE baselines ADD COLUMN base_id     INTEGER     NULL;                -- of a composed version: what its layers are on
ALTER TABLE baselines ADD COLUMN resolutions TEXT    NOT NULL DEFAULT '{}';   -- JSON object: from a key in conflict to the side that won
ALTER TABLE baselines ADD COLUMN retired_at  INTEGER     NULL;                -- not accepted any more

-- The layer of the judged version that a deviation belongs to; empty: opened before there were layers.
ALTER TABLE deviations ADD COLUMN layer TEXT NOT NULL DEFAULT '';
ALTER TABLE deviations ADD COLUMN owner TEXT NOT NULL DEFAULT '';
