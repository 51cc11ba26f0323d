-- Long work that a call has begun. A job of which available_at has passed may
-- be taken: it waits, or the server that worked on it is lost.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS jobs (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL,
    key          text NOT NULL,
    action       text NOT NULL,
    subject      text NOT NULL,
    request_type text NOT NULL,
    request      bytea NOT NULL,
    state        text NOT NULL,
    done         int8 NOT NULL DEFAULT 0,
    total        int8 NOT NULL DEFAULT 0,
    unit         text NOT NULL DEFAULT '',
    owner        text NOT NULL DEFAULT '',
    term         int8 NOT NULL DEFAULT 0,
    available_at timestamptz NOT NULL DEFAULT now(),
    cancelled_by text NOT NULL DEFAULT '',
    cancel_key   text,
    result_type  text NOT NULL DEFAULT '',
    result       bytea,
    error        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    ended_at     timestamptz,
    UNIQUE (kind, key),
    UNIQUE (cancel_key)
);

CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_at, id);

CREATE INDEX IF NOT EXISTS jobs_open ON jobs (available_at) WHERE state IN ('queued', 'running');

-- +goose Down
DROP TABLE jobs;
