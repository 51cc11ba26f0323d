-- Who leads a job that one process at a time is to do. The row of a job stays
-- for ever, so that its term counts how often the lead was taken.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS leases (
    name       text PRIMARY KEY,
    leader     text NOT NULL,
    term       int8 NOT NULL,
    taken_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

INSERT INTO leases (name, leader, term, taken_at, expires_at)
VALUES ('sealer', '', 0, now(), now()) ON CONFLICT (name) DO NOTHING;

-- +goose Down
DROP TABLE leases;
