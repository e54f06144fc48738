-- Scopes that no head has any more are removed: found without reading all heads.
CREATE INDEX heads_scope ON heads (scope_digest);
