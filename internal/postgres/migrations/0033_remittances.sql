-- Money that moved on a notice, keyed by the reference of the bank's voucher,
-- which is the idempotency key.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS remittances (
    reference    text PRIMARY KEY,
    notice       text NOT NULL,
    paid_on      date NOT NULL,
    counterparty text NOT NULL,
    requested    text NOT NULL,
    funds        text[] NOT NULL,
    amounts_fen  int8[] NOT NULL,
    entries      uuid[] NOT NULL,
    UNIQUE (notice, reference)
);

-- +goose Down
DROP TABLE remittances;
