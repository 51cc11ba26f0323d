-- The policy, the working-day calendar and the code lists.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS policy (
    key        text NOT NULL,
    value      text NOT NULL,
    unit       text NOT NULL,
    title      text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    source     text NOT NULL,
    position   int8 NOT NULL,
    PRIMARY KEY (key, valid_from)
);

CREATE TABLE IF NOT EXISTS calendar_days (
    day    date PRIMARY KEY,
    kind   text NOT NULL,
    name   text NOT NULL,
    source text NOT NULL
);

CREATE TABLE IF NOT EXISTS codes (
    list       text NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    expense    text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    source     text NOT NULL,
    PRIMARY KEY (list, code, valid_from)
);

-- +goose Down
DROP TABLE codes;
DROP TABLE calendar_days;
DROP TABLE policy;
