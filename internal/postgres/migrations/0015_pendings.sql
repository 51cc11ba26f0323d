-- Pending entries: money that is reserved but not posted. holds says how much
-- of each floor, in fen.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS pendings (
    key        text PRIMARY KEY,
    state      text NOT NULL,
    expires_at timestamptz,
    entry      jsonb NOT NULL,
    digest     bytea NOT NULL,
    holds      jsonb NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text NOT NULL,
    reason     text NOT NULL
);

CREATE INDEX IF NOT EXISTS pendings_by_state ON pendings (state, key);

CREATE INDEX IF NOT EXISTS pendings_by_expiry ON pendings (expires_at) WHERE state = 'open';

-- +goose Down
DROP TABLE pendings;
