-- Idempotency keys of changes that would else be told only by the state that
-- they lead to: written with the change, and never changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS change_keys (
    operation text NOT NULL,
    key       text NOT NULL,
    digest    bytea NOT NULL,
    used_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation, key)
);

-- +goose Down
DROP TABLE change_keys;
