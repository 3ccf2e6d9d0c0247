-- What the user says attributes mean: the fact that a span's attribute states, before any convention is asked.

CREATE TABLE overrides (
    fact TEXT PRIMARY KEY,
    key  TEXT NOT NULL
) STRICT;

-- Where they have changed: the span up to which all are marked as stale.
ALTER TABLE derivation ADD COLUMN marked INTEGER;
