-- Every change of the state of a period: who made it and why, and how long the
-- sealed journal was. The row of periods is the state of the last one.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS period_events (
    book     text NOT NULL,
    month    text NOT NULL,
    number   int8 NOT NULL,
    state    text NOT NULL,
    person   text NOT NULL,
    reason   text NOT NULL,
    position int8 NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book, month, number)
);

-- +goose Down
DROP TABLE period_events;
