-- What joins calls to what others tell of them.

-- Ids of requests and responses that a log record states, each as 64 bits of its hash; those of records stored before
-- this was kept are not there.
CREATE TABLE log_ids (
    log INTEGER NOT NULL REFERENCES logs (id),
    id  INTEGER NOT NULL,
    PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

-- Records that name an id.
CREATE INDEX log_ids_by_id ON log_ids (id);

CREATE TRIGGER logs_gone AFTER DELETE ON logs
BEGIN
    DELETE FROM log_ids WHERE log = old.id;
END;

-- Why a span failed: its place in ErrorClass::ALL.
ALTER TABLE facts ADD COLUMN error INTEGER;

-- Trends read why calls fail too.
DROP INDEX calls_by_start;
CREATE INDEX calls_by_start
    ON facts (start, counted, model, input, output, cached, cost, duration, failed, error)
    WHERE counted <> 0;

-- The documents of a trace by time: an answer cites what was found before it.
CREATE INDEX facts_found_by_trace ON facts (trace, start) WHERE operation IN (4, 6);
