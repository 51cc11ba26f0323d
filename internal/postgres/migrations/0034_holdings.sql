-- Clearing money of a run that lies at the province (2001.02), by who sent it,
-- and what the run has used of a prepayment pool (2001.04) and not refilled:
-- the in-province pool under no counterparty, a province's under its code.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS holdings (
    run           text NOT NULL,
    fund          text NOT NULL,
    counterparty  text NOT NULL,
    held_fen      int8 NOT NULL,
    pool_used_fen int8 NOT NULL,
    PRIMARY KEY (run, fund, counterparty)
);

-- +goose Down
DROP TABLE holdings;
