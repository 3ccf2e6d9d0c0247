-- Derived: a pure function of the ground; may be dropped and built again.

-- How far derivation has come, and by which deriver.
CREATE TABLE derivation (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL, -- of the deriver
    through INTEGER NOT NULL  -- every shown span up to this id has its facts
) STRICT;

INSERT INTO derivation (id, version, through) VALUES (1, 0, 0);

-- Spans to derive again: a log record came late, or another variant took their place.
CREATE TABLE stale_spans (
    span INTEGER PRIMARY KEY
) STRICT;

-- What a shown span says of itself.
CREATE TABLE facts (
    span      INTEGER PRIMARY KEY REFERENCES spans (id),
    trace     INTEGER NOT NULL REFERENCES traces (id),
    operation INTEGER NOT NULL, -- index in Operation::ALL
    counted   INTEGER NOT NULL, -- what of it counts in totals: 1 usage, 2 cost, 4 the call itself
    start     INTEGER NOT NULL, -- microseconds since the epoch
    duration  INTEGER,          -- nanoseconds; NULL while pending
    failed    INTEGER NOT NULL,
    model     INTEGER REFERENCES strings (id),
    input     INTEGER,          -- tokens
    output    INTEGER,
    cached    INTEGER,
    cost      INTEGER,          -- stated, in nano US dollars
    prompt    TEXT,             -- PromptFact as JSON, where one is stated
    json      TEXT NOT NULL     -- RowFacts
) STRICT;

-- A trace's facts.
CREATE INDEX facts_by_trace ON facts (trace);
-- Trends read what counts by time, and nothing else.
CREATE INDEX calls_by_start ON facts (start, counted, model, input, output, cached, cost, duration, failed)
    WHERE counted <> 0;
-- Prompt versions.
CREATE INDEX facts_with_prompt ON facts (start) WHERE prompt IS NOT NULL;

-- What heuristics said of responses.
CREATE TABLE findings (
    span      INTEGER NOT NULL REFERENCES spans (id),
    heuristic TEXT    NOT NULL,
    start     INTEGER NOT NULL, -- microseconds since the epoch of the span's start
    value     REAL    NOT NULL,
    evidence  TEXT    NOT NULL, -- JSON
    PRIMARY KEY (span, heuristic)
) STRICT, WITHOUT ROWID;

-- Rates and lists of one heuristic by time.
CREATE INDEX findings_by_start ON findings (heuristic, start, value);

-- What lists show of a trace.
CREATE TABLE summaries (
    trace      INTEGER PRIMARY KEY REFERENCES traces (id),
    changed    INTEGER NOT NULL, -- traces.changed at derivation
    start      INTEGER NOT NULL, -- microseconds since the epoch
    duration   INTEGER NOT NULL, -- nanoseconds
    spans      INTEGER NOT NULL,
    errors     INTEGER NOT NULL,
    tokens     INTEGER,
    cost       INTEGER,          -- nano US dollars
    operations INTEGER NOT NULL, -- bit n is Operation::ALL[n]
    session    TEXT,
    json       TEXT NOT NULL     -- TraceSummary
) STRICT;

-- Lists by each sort key; what states no figure comes below zero.
CREATE INDEX summaries_by_duration ON summaries (duration, trace);
CREATE INDEX summaries_by_tokens ON summaries (coalesce(tokens, -1), trace);
CREATE INDEX summaries_by_cost ON summaries (coalesce(cost, -1), trace);
CREATE INDEX summaries_by_spans ON summaries (spans, trace);
-- A session's traces.
CREATE INDEX summaries_by_session ON summaries (session) WHERE session IS NOT NULL;

-- Services and models of a trace.
CREATE TABLE trace_values (
    facet TEXT    NOT NULL, -- 'service' or 'model'
    value INTEGER NOT NULL REFERENCES strings (id),
    trace INTEGER NOT NULL REFERENCES traces (id),
    PRIMARY KEY (facet, value, trace)
) STRICT, WITHOUT ROWID;

-- A trace's values, to replace them.
CREATE INDEX trace_values_by_trace ON trace_values (trace);

-- Settings: one JSON object.
CREATE TABLE settings (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    json TEXT NOT NULL
) STRICT;
