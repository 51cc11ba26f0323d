-- Bank accounts, by the day from which a version holds: whose they are, and which
-- fund/subject of the book each of them backs. Rows are added and open ones are
-- ended; nothing else of them changes.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS bank_accounts (
    number     text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    bank       text NOT NULL,
    holder     text NOT NULL,
    book       text NOT NULL,
    backs      text[] NOT NULL,
    source     text NOT NULL,
    entered_by text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, valid_from)
);

-- +goose Down
DROP TABLE bank_accounts;
