-- Notices of prepayments, of a plan or of a top-up case.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS prepayment_notices (
    id        text PRIMARY KEY,
    origin    text NOT NULL,
    scheme    text NOT NULL,
    year      int8 NOT NULL,
    party     text NOT NULL,
    direction text NOT NULL,
    annex     text NOT NULL,
    issued    date NOT NULL,
    apply_by  date,
    due       date
);

CREATE INDEX IF NOT EXISTS prepayment_notices_by_origin ON prepayment_notices (origin);

CREATE TABLE IF NOT EXISTS prepayment_notice_lines (
    notice     text NOT NULL,
    fund       text NOT NULL,
    amount_fen int8 NOT NULL,
    PRIMARY KEY (notice, fund)
);

-- +goose Down
DROP TABLE prepayment_notice_lines;
DROP TABLE prepayment_notices;
