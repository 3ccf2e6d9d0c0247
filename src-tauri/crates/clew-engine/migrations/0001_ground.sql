-- Ground: telemetry as received. Rows here are never rewritten, only added and purged; payloads may move to another
-- block as they are.

PRAGMA application_id = 0x434C4557; -- "CLEW"

-- Interned names, cut to 1,024 bytes; the whole text stays in the payload.
CREATE TABLE strings (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Where telemetry came from: 0 is live, every opened file has its own.
CREATE TABLE sources (
    id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: what still comes of a closed file is not another's
    key     TEXT    NOT NULL UNIQUE, -- the file's path, or what it holds and its name: opened again, it is the same source
    label   TEXT    NOT NULL,
    format  TEXT    NOT NULL,
    opened  INTEGER NOT NULL -- microseconds since the epoch
) STRICT;

INSERT INTO sources (id, key, label, format, opened) VALUES (0, '', 'live', 'otlp', 0);

-- Resource messages by content.
CREATE TABLE resources (
    id         INTEGER PRIMARY KEY,
    hash       INTEGER NOT NULL UNIQUE, -- first 8 bytes of BLAKE3 over message and schema url
    service    INTEGER NOT NULL REFERENCES strings (id),
    raw        BLOB    NOT NULL,
    schema_url TEXT    NOT NULL
) STRICT;

-- InstrumentationScope messages by content.
CREATE TABLE scopes (
    id         INTEGER PRIMARY KEY,
    hash       INTEGER NOT NULL UNIQUE,
    name       INTEGER NOT NULL REFERENCES strings (id),
    raw        BLOB    NOT NULL,
    schema_url TEXT    NOT NULL
) STRICT;

-- One row a trace, kept up to date with every commit. Figures count shown spans only.
CREATE TABLE traces (
    id         INTEGER PRIMARY KEY,
    source     INTEGER NOT NULL REFERENCES sources (id),
    trace_id   BLOB    NOT NULL, -- 16 bytes
    name       INTEGER NOT NULL REFERENCES strings (id), -- of the root, else of the first span that came
    service    INTEGER NOT NULL REFERENCES strings (id),
    start      INTEGER NOT NULL, -- microseconds since the epoch of the earliest start
    finish     INTEGER NOT NULL, -- microseconds since the epoch of the latest end
    spans      INTEGER NOT NULL,
    errors     INTEGER NOT NULL,
    logs       INTEGER NOT NULL, -- log records that carry its id
    rooted     INTEGER NOT NULL, -- 1 once a span without a parent has ended
    received   INTEGER NOT NULL, -- microseconds since the epoch of the newest arrival
    changed    INTEGER NOT NULL, -- counts the commits that touched it
    UNIQUE (source, trace_id)
) STRICT;

-- Lists by time, newest first.
CREATE INDEX traces_by_start ON traces (start, id);
-- Retention deletes what was received longest ago.
CREATE INDEX traces_by_received ON traces (received);

-- Payloads in blocks of up to 64 items, zstd. Attributes: small scalar span attributes, which filters read.
CREATE TABLE attribute_blocks (
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

-- Everything else of a span, or whole log records. An id is never used twice: who looks for a block that is gone must
-- not find another.
CREATE TABLE content_blocks (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    data BLOB NOT NULL
) STRICT;

-- One row a span and content.
CREATE TABLE spans (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival, never used twice: watermarks rest on it
    trace    INTEGER NOT NULL REFERENCES traces (id),
    span_id  INTEGER NOT NULL, -- the 64 bits of the id
    hash     INTEGER NOT NULL, -- of the content
    parent   INTEGER,          -- the 64 bits of the parent's id; NULL at a root
    start    INTEGER NOT NULL, -- nanoseconds since the epoch, the 64 bits of the unsigned number
    finish   INTEGER NOT NULL, -- the same; 0 while pending
    name     INTEGER NOT NULL REFERENCES strings (id),
    resource INTEGER NOT NULL REFERENCES resources (id),
    scope    INTEGER NOT NULL REFERENCES scopes (id),
    status   INTEGER NOT NULL, -- as received: 0 unset, 1 ok, 2 error
    repaired INTEGER NOT NULL,
    rank     INTEGER NOT NULL, -- ended, then number of attributes: the variant with the highest rank is shown
    shown    INTEGER NOT NULL, -- 1 on one variant of each span id
    received INTEGER NOT NULL, -- microseconds since the epoch
    block    INTEGER NOT NULL,
    slot     INTEGER NOT NULL
) STRICT;

-- Identity: identical content is stored once; also reads a trace.
CREATE UNIQUE INDEX spans_identity ON spans (trace, span_id, hash);
-- A purge rewrites the blocks that it touches; repacking joins small ones.
CREATE INDEX spans_by_block ON spans (block);

-- One row a log record; its payload is a content block.
CREATE TABLE logs (
    id       INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL REFERENCES sources (id),
    hash     INTEGER NOT NULL,
    trace    INTEGER REFERENCES traces (id), -- NULL without correlation
    span_id  INTEGER,
    time     INTEGER NOT NULL, -- nanoseconds, the 64 bits of the unsigned number; observed time where time is 0
    severity INTEGER NOT NULL,
    name     INTEGER NOT NULL REFERENCES strings (id), -- the event's
    resource INTEGER NOT NULL REFERENCES resources (id),
    scope    INTEGER NOT NULL REFERENCES scopes (id),
    received INTEGER NOT NULL,
    block    INTEGER NOT NULL,
    slot     INTEGER NOT NULL,
    UNIQUE (source, hash)
) STRICT;

-- Log records of a span, of a trace.
CREATE INDEX logs_by_span ON logs (trace, span_id) WHERE trace IS NOT NULL;
-- A purge rewrites the blocks that it touches.
CREATE INDEX logs_by_block ON logs (block);

-- What the points of a metric share.
CREATE TABLE metrics (
    id       INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL REFERENCES sources (id),
    hash     INTEGER NOT NULL, -- over resource, scope and message
    resource INTEGER NOT NULL REFERENCES resources (id),
    scope    INTEGER NOT NULL REFERENCES scopes (id),
    name     INTEGER NOT NULL REFERENCES strings (id),
    kind     TEXT    NOT NULL,
    raw      BLOB    NOT NULL,
    UNIQUE (source, hash)
) STRICT;

-- One row a metric point.
CREATE TABLE points (
    id       INTEGER PRIMARY KEY,
    metric   INTEGER NOT NULL REFERENCES metrics (id),
    series   INTEGER NOT NULL, -- hash of its attributes
    time     INTEGER NOT NULL, -- nanoseconds, the 64 bits of the unsigned number
    start    INTEGER NOT NULL,
    hash     INTEGER NOT NULL,
    received INTEGER NOT NULL,
    raw      BLOB    NOT NULL,
    UNIQUE (metric, series, time, hash)
) STRICT;

-- Retention deletes what was received longest ago.
CREATE INDEX points_by_received ON points (received);
