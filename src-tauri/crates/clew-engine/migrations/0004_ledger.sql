-- What figures are made of: the user's prices, and model calls that two traces tell of.

-- The user's decisions about prices, in the order in which they were made.
CREATE TABLE price_revisions (
    id    INTEGER PRIMARY KEY,
    since INTEGER NOT NULL, -- microseconds since the epoch: for calls received from then on; 0 for all of them
    made  INTEGER NOT NULL, -- microseconds since the epoch
    json  TEXT    NOT NULL  -- profile, own prices, book
) STRICT;

-- Price books that the user gave.
CREATE TABLE price_books (
    id   INTEGER PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;

-- `cost` says from here on what a span adds to totals, stated or by price list; `counted` has two more bits: 8 the call
-- counts in another trace, which tells of the same response and says more; 16 the price of its tokens is not known.
ALTER TABLE facts ADD COLUMN response INTEGER; -- 64 bits of a hash of the provider's response id
ALTER TABLE facts ADD COLUMN rank INTEGER;     -- how much it says of its call

-- Spans that tell of one response.
CREATE INDEX facts_by_response ON facts (response) WHERE response IS NOT NULL;

-- Where a span goes, its call may count in another trace.
CREATE TRIGGER facts_gone AFTER DELETE ON facts WHEN old.response IS NOT NULL
BEGIN
    UPDATE summaries
    SET changed = -1
    WHERE changed <> -1
      AND trace IN (SELECT trace FROM facts WHERE response = old.response AND trace <> old.trace);
END;

-- Summaries that are to be made anew.
CREATE INDEX stale_summaries ON summaries (trace) WHERE changed = -1;

-- Tokens and nano-dollars of a trace that count in another one.
ALTER TABLE summaries ADD COLUMN tokens_elsewhere INTEGER NOT NULL DEFAULT 0;
ALTER TABLE summaries ADD COLUMN cost_elsewhere INTEGER NOT NULL DEFAULT 0;
