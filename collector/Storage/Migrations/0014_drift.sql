-- What was open at a time is what is open still, and what closed later.
CREATE INDEX deviations_closed ON deviations (instance_id, closed_at) WHERE closed_at IS NOT NULL;
