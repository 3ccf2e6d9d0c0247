-- What makes a trace the same for every order in which its parts arrive.

-- The request that a log record came in, by its content, and the record's place there: records of equal times keep the
-- order in which their program wrote them. 0 before this was kept; those stay in the order in which they came.
ALTER TABLE logs ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logs ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

-- `rooted` says from here on what is known of the roots: 0 none has come, 1 all that came have ended, 2 one has not.
UPDATE traces
SET rooted = 2
WHERE id IN (
    SELECT trace
    FROM spans
    WHERE parent IS NULL AND finish = 0 AND shown = 1
);

-- How often a span has become stale: what became stale again while it was being derived stays.
ALTER TABLE stale_spans ADD COLUMN times INTEGER NOT NULL DEFAULT 1;

-- Spans that were purged and that the full-text index may still hold.
CREATE TABLE removed_spans (
    span INTEGER PRIMARY KEY
) STRICT;

-- Retention deletes what was received longest ago.
CREATE INDEX loose_logs_by_received ON logs (received) WHERE trace IS NULL;

-- The model calls of a trace by time: the one before a call is what its conversation repeats.
CREATE INDEX facts_calls_by_trace ON facts (trace, start) WHERE operation = 2;
-- What heuristics found, newest first.
CREATE INDEX findings_that_fired ON findings (start, span, heuristic) WHERE value <> 0;
