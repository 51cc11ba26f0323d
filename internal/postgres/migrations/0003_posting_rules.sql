-- The posting table. "position" is the place of a line in the table as people
-- read it and means nothing else.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS posting_rules (
    event        text NOT NULL,
    step         int8 NOT NULL,
    title        text NOT NULL,
    region       text NOT NULL,
    role         text NOT NULL,
    side         text NOT NULL,
    red          bool NOT NULL,
    subject      text NOT NULL,
    counterparty text NOT NULL,
    amount       text NOT NULL,
    detail       bool NOT NULL,
    valid_from   date NOT NULL,
    valid_to     date,
    source       text NOT NULL,
    position     int8 NOT NULL,
    PRIMARY KEY (event, step, valid_from)
);

-- +goose Down
DROP TABLE posting_rules;
