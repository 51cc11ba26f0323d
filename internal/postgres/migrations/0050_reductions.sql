-- What is taken back of a settlement other than by refunds: deductions, claims
-- of clawbacks, withdrawals. Amounts are those of the fields hifp_pay to
-- acct_pay in the order of the file, and not negative. One that is released
-- (a claim that was declined or cancelled) counts no more. Negative records
-- stand in blocks of their own, since no side's file has them.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS settlement_reductions (
    id         text PRIMARY KEY,
    setl_id    text NOT NULL,
    kind       text NOT NULL,
    lowered_on date NOT NULL,
    parts_fen  int8[] NOT NULL,
    released   bool NOT NULL DEFAULT false
);

CREATE INDEX IF NOT EXISTS settlement_reductions_by_settlement ON settlement_reductions (setl_id);

ALTER TABLE accepted_blocks ADD COLUMN IF NOT EXISTS negative bool NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE accepted_blocks DROP COLUMN negative;
DROP TABLE settlement_reductions;
