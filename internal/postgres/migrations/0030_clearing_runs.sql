-- Clearing runs (清算批次): one per service month and kind. The row is the lock
-- under which records are collected and money is remitted.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS clearing_runs (
    id          text PRIMARY KEY,
    month       text NOT NULL,
    kind        text NOT NULL,
    state       text NOT NULL,
    notice_date date NOT NULL,
    period      text NOT NULL,
    frozen_at   timestamptz,
    UNIQUE (month, kind)
);

-- +goose Down
DROP TABLE clearing_runs;
