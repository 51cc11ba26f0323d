-- Statements of banks, one per bank account and stretch of days, and their lines,
-- known by the bank's serial number. Never changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS bank_statements (
    account     text NOT NULL,
    first_day   date NOT NULL,
    last_day    date NOT NULL,
    opening_fen int8 NOT NULL,
    closing_fen int8 NOT NULL,
    line_count  int8 NOT NULL,
    digest      bytea NOT NULL,
    file_name   text NOT NULL,
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, first_day, last_day)
);

CREATE TABLE IF NOT EXISTS bank_lines (
    account              text NOT NULL,
    serial               text NOT NULL,
    entry_date           date NOT NULL,
    side                 text NOT NULL,
    amount_fen           int8 NOT NULL,
    counterparty_account text NOT NULL,
    counterparty_name    text NOT NULL,
    remark               text NOT NULL,
    reference            text NOT NULL,
    balance_fen          int8,
    PRIMARY KEY (account, serial)
);

CREATE INDEX IF NOT EXISTS bank_lines_by_day ON bank_lines (account, entry_date, serial);

-- +goose Down
DROP TABLE bank_lines;
DROP TABLE bank_statements;
