-- Payments to providers. What is open stands in blocks of items, an item being
-- what one settlement has in one fund and part; taken is the position up to
-- which the journal's lines of the provider are among them. A payment list
-- takes items out of what is open and keeps them as its coverage, in blocks by
-- settlement, so that what was paid of one settlement is found by its id.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS provider_accounts (
    treating text NOT NULL,
    provider text NOT NULL,
    taken    int8 NOT NULL,
    version  int8 NOT NULL,
    PRIMARY KEY (treating, provider)
);

CREATE TABLE IF NOT EXISTS provider_open (
    treating text NOT NULL,
    provider text NOT NULL,
    number   int8 NOT NULL,
    items    jsonb NOT NULL,
    PRIMARY KEY (treating, provider, number)
);

CREATE TABLE IF NOT EXISTS provider_lists (
    id          text PRIMARY KEY,
    treating    text NOT NULL,
    provider    text NOT NULL,
    requested   text NOT NULL,
    through     date NOT NULL,
    state       text NOT NULL,
    funds       text[] NOT NULL,
    amounts_fen int8[] NOT NULL,
    settlements int8 NOT NULL,
    made_on     date NOT NULL,
    paid_on     date,
    reference   text NOT NULL DEFAULT '',
    entry_id    uuid
);

CREATE UNIQUE INDEX IF NOT EXISTS provider_lists_by_reference ON provider_lists (reference) WHERE reference <> '';

CREATE INDEX IF NOT EXISTS provider_lists_by_provider ON provider_lists (treating, provider, id);

CREATE TABLE IF NOT EXISTS provider_coverage (
    list_id  text NOT NULL,
    number   int8 NOT NULL,
    provider text NOT NULL,
    first_id text NOT NULL,
    last_id  text NOT NULL,
    items    jsonb NOT NULL,
    PRIMARY KEY (list_id, number)
);

CREATE INDEX IF NOT EXISTS provider_coverage_by_settlement ON provider_coverage (provider, first_id);

-- Who did what with a payment list, a reimbursement or a fee check, and when.
CREATE TABLE IF NOT EXISTS provider_events (
    subject     text NOT NULL,
    number      int8 NOT NULL,
    step        text NOT NULL,
    happened_on date NOT NULL,
    person      text NOT NULL,
    document    text NOT NULL,
    reason      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, number)
);

-- +goose Down
DROP TABLE provider_events;
DROP TABLE provider_coverage;
DROP TABLE provider_lists;
DROP TABLE provider_open;
DROP TABLE provider_accounts;
