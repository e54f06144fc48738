-- What is older than history is kept is found without reading what is not: the last look of each hour finds nothing.
-- None has a column that changes while rows are written to again and again, so those writes cost what they did; of what is open
-- there is nothing in them.
CREATE INDEX heads_received        ON heads           (received_at, instance_id);
CREATE INDEX sessions_ended        ON sessions        (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sample_runs_began     ON sample_runs     (began_at);   -- their ends move with each sample
CREATE INDEX boots_booted          ON boots           (booted_at);
CREATE INDEX state_intervals_ended ON state_intervals (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX point_accounts_hour   ON point_accounts  (hour);
CREATE INDEX rejections_hour       ON rejections      (hour);
CREATE INDEX lane_gaps_noticed     ON lane_gaps       (noticed_at);
