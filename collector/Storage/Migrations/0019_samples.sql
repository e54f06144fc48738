-- What is sampled of all instances at once, every ten seconds: read from these alone, without the rows.
CREATE INDEX deviations_sampled ON deviations (instance_id, layer, owner, kind, severity, state, opened_at) WHERE closed_at IS NULL;

CREATE INDEX state_intervals_open ON state_intervals (source, instance_id, name, began_at) WHERE ended_at IS NULL;
