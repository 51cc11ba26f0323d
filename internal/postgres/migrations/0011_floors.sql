-- What a posting transaction reads and writes beside the journal: balances of
-- accounts and groups that have a floor, with what pending entries reserve of
-- them, and the state of the periods.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS floors (
    account      text PRIMARY KEY,
    balance_fen  int8 NOT NULL,
    reserved_fen int8 NOT NULL,
    version      int8 NOT NULL
);

CREATE TABLE IF NOT EXISTS periods (
    book  text NOT NULL,
    month text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (book, month)
);

-- +goose Down
DROP TABLE periods;
DROP TABLE floors;
