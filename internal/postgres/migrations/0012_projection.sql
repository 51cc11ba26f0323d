-- What follows the journal in its order: the heads of the sequence and of the
-- projection, balances, account lines in blocks, and turnover by day.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS heads (
    name     text PRIMARY KEY,
    position int8 NOT NULL
);

INSERT INTO heads (name, position) VALUES ('sealed', 0), ('projected', 0) ON CONFLICT (name) DO NOTHING;

CREATE TABLE IF NOT EXISTS balances (
    account      text PRIMARY KEY,
    book         text NOT NULL,
    fund         text NOT NULL,
    subject      text NOT NULL,
    counterparty text NOT NULL,
    debit_fen    int8 NOT NULL,
    credit_fen   int8 NOT NULL,
    line_count   int8 NOT NULL,
    position     int8 NOT NULL
);

CREATE TABLE IF NOT EXISTS account_lines (
    account            text NOT NULL,
    first_position     int8 NOT NULL,
    last_position      int8 NOT NULL,
    opening_debit_fen  int8 NOT NULL,
    opening_credit_fen int8 NOT NULL,
    lines              jsonb NOT NULL,
    PRIMARY KEY (account, first_position)
);

CREATE TABLE IF NOT EXISTS account_months (
    account    text NOT NULL,
    month      text NOT NULL,
    debit_fen  int8 NOT NULL,
    credit_fen int8 NOT NULL,
    days       jsonb NOT NULL,
    PRIMARY KEY (account, month)
);

-- +goose Down
DROP TABLE account_months;
DROP TABLE account_lines;
DROP TABLE balances;
DROP TABLE heads;
