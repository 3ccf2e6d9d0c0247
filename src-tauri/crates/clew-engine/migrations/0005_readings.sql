-- How spans are read: what the user says attributes mean, and what more is kept of calls.

-- The fact that a span's attribute states, before any convention is asked.

CREATE TABLE overrides (
    fact TEXT PRIMARY KEY,
    key  TEXT NOT NULL
) STRICT;

-- Where they have changed: the span up to which all are marked as stale.
ALTER TABLE derivation ADD COLUMN marked INTEGER;

-- The template and version under which `list_prompts` lists a call. They are made of the text where nothing states them.
ALTER TABLE facts ADD COLUMN prompt_name TEXT;
ALTER TABLE facts ADD COLUMN prompt_version TEXT;
-- Tokens of a call of which no span states any, counted in what it sent and answered.
ALTER TABLE facts ADD COLUMN estimated_input INTEGER;
ALTER TABLE facts ADD COLUMN estimated_output INTEGER;
-- 64 bits of a hash of the feature or kind of task that it serves, as it or the nearest span above states it.
ALTER TABLE facts ADD COLUMN feature INTEGER;

CREATE INDEX facts_by_prompt ON facts (prompt_name, prompt_version, start) WHERE prompt_name IS NOT NULL;
