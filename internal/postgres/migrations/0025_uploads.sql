-- Settlement files as they are sent: the upload by the id that its sender chose,
-- and its bytes until they are loaded. They stand in the database so that any
-- server can go on with what another one has received.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS uploads (
    batch_id       text PRIMARY KEY,
    side           text NOT NULL,
    file_name      text NOT NULL,
    size           int8 NOT NULL,
    sha256         text NOT NULL,
    strict         bool NOT NULL,
    subject        text NOT NULL,
    state          text NOT NULL,
    received       int8 NOT NULL DEFAULT 0,
    file_id        uuid,
    already_loaded bool NOT NULL DEFAULT false,
    added          int8 NOT NULL DEFAULT 0,
    replaced       int8 NOT NULL DEFAULT 0,
    error          jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    touched_at     timestamptz NOT NULL DEFAULT now(),
    claimed_until  timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz
);

CREATE INDEX IF NOT EXISTS uploads_under_way ON uploads (state, touched_at) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS upload_chunks (
    batch_id   text NOT NULL,
    first_byte int8 NOT NULL,
    content    bytea NOT NULL,
    PRIMARY KEY (batch_id, first_byte)
);

-- +goose Down
DROP TABLE upload_chunks;
DROP TABLE uploads;
