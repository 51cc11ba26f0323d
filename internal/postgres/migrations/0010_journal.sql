-- The journal: one row per entry with its lines inside, keyed by an id that is
-- derived from the idempotency key, so that one key-value pair serves both.
-- Batches say in which order a posting transaction applied its entries; the
-- inbox holds the batches that have no place in the sequence yet. A sealed
-- batch knows the latest time of posting up to it. Only an entry that corrects
-- another has a row in corrections; a reversal's says how much of each posting.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS entries (
    id            uuid PRIMARY KEY,
    key           text NOT NULL,
    batch_id      uuid NOT NULL,
    business_date date NOT NULL,
    period        text NOT NULL,
    kind          text NOT NULL,
    summary       text NOT NULL,
    source        text NOT NULL,
    attachments   int8 NOT NULL,
    preparer      text NOT NULL,
    reviewer      text NOT NULL,
    corrects      uuid,
    legs          jsonb NOT NULL,
    digest        bytea NOT NULL,
    posted_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS batches (
    id        uuid PRIMARY KEY,
    entries   uuid[] NOT NULL,
    digests   bytea NOT NULL,
    vouchers  jsonb NOT NULL,
    floors    jsonb NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS inbox (
    batch_id uuid PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS sealed (
    first_position int8 PRIMARY KEY,
    batch_id       uuid NOT NULL UNIQUE,
    entries        int8 NOT NULL,
    posted_until   timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS vouchers (
    book     text NOT NULL,
    period   text NOT NULL,
    number   int8 NOT NULL,
    entry_id uuid NOT NULL,
    position int8 NOT NULL,
    PRIMARY KEY (book, period, number),
    UNIQUE (entry_id, book)
);

CREATE TABLE IF NOT EXISTS corrections (
    original   uuid NOT NULL,
    correction uuid NOT NULL,
    version    int8 NOT NULL,
    amounts    jsonb,
    PRIMARY KEY (original, correction)
);

-- +goose Down
DROP TABLE corrections;
DROP TABLE vouchers;
DROP TABLE sealed;
DROP TABLE inbox;
DROP TABLE batches;
DROP TABLE entries;
