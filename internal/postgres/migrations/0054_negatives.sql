-- Negative records that no side's file has, by settlement: of a stay over the
-- year end each benefit year is lowered by what all of them together take back.
-- Amounts are those of the fields hifp_pay to acct_pay, and not negative.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS settlement_negatives (
    id        text PRIMARY KEY,
    setl_id   text NOT NULL,
    parts_fen int8[] NOT NULL
);

CREATE INDEX IF NOT EXISTS settlement_negatives_by_settlement ON settlement_negatives (setl_id);

-- +goose Down
DROP TABLE settlement_negatives;
