-- Funds and the chart of accounts. A row holds from valid_from up to, but
-- without, valid_to; no valid_to means until further notice.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS funds (
    code       text NOT NULL,
    name       text NOT NULL,
    field      text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    source     text NOT NULL,
    PRIMARY KEY (code, valid_from)
);

CREATE TABLE IF NOT EXISTS subjects (
    role                  text NOT NULL,
    code                  text NOT NULL,
    name                  text NOT NULL,
    layer                 text NOT NULL,
    normal                text NOT NULL,
    postable              bool NOT NULL,
    counterparty          text NOT NULL,
    floor                 bool NOT NULL,
    group_name            text NOT NULL,
    group_by_counterparty bool NOT NULL,
    valid_from            date NOT NULL,
    valid_to              date,
    source                text NOT NULL,
    PRIMARY KEY (role, code, valid_from)
);

-- +goose Down
DROP TABLE subjects;
DROP TABLE funds;
