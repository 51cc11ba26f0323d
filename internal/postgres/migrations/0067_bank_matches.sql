-- What of the books stands for what of a statement: each match and its undoing is
-- an event. Beside them, which lines are matched now; a line is in one match.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS bank_match_events (
    match_id    uuid NOT NULL,
    step        int8 NOT NULL,
    account     text NOT NULL,
    rule        text NOT NULL,
    automatic   bool NOT NULL,
    serials     text[] NOT NULL,
    entries     uuid[] NOT NULL,
    legs        int8[] NOT NULL,
    amount_fen  int8 NOT NULL,
    person      text NOT NULL,
    happened_on date NOT NULL,
    reason      text NOT NULL,
    request_key text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (match_id, step)
);

CREATE INDEX IF NOT EXISTS bank_match_events_by_account ON bank_match_events (account, match_id, step);
CREATE INDEX IF NOT EXISTS bank_match_events_by_request ON bank_match_events (request_key, match_id, step);

CREATE TABLE IF NOT EXISTS bank_matched_lines (
    account  text NOT NULL,
    serial   text NOT NULL,
    match_id uuid NOT NULL,
    PRIMARY KEY (account, serial)
);

CREATE TABLE IF NOT EXISTS bank_matched_postings (
    entry    uuid NOT NULL,
    leg      int8 NOT NULL,
    account  text NOT NULL,
    match_id uuid NOT NULL,
    PRIMARY KEY (entry, leg)
);

CREATE INDEX IF NOT EXISTS bank_matched_postings_by_account ON bank_matched_postings (account);

-- +goose Down
DROP TABLE bank_matched_postings;
DROP TABLE bank_matched_lines;
DROP TABLE bank_match_events;
