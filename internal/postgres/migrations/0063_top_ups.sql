-- Emergency top-ups (紧急调增) of the prepayment at another province: once per
-- province and service month, with the figures that opened the case, the amounts
-- proposed and approved, and each city's part.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS top_ups (
    id        text PRIMARY KEY,
    month     text NOT NULL,
    province  text NOT NULL,
    opened_on date NOT NULL,
    state     text NOT NULL,
    UNIQUE (month, province)
);

CREATE TABLE IF NOT EXISTS top_up_funds (
    top_up       text NOT NULL,
    fund         text NOT NULL,
    cleared_fen  int8 NOT NULL,
    held_fen     int8 NOT NULL,
    proposed_fen int8 NOT NULL DEFAULT 0,
    approved_fen int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (top_up, fund)
);

CREATE TABLE IF NOT EXISTS top_up_parts (
    top_up     text NOT NULL,
    fund       text NOT NULL,
    city       text NOT NULL,
    amount_fen int8 NOT NULL,
    PRIMARY KEY (top_up, fund, city)
);

-- +goose Down
DROP TABLE top_up_parts;
DROP TABLE top_up_funds;
DROP TABLE top_ups;
