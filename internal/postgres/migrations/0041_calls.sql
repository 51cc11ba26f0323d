-- Who did what: a row before a call is carried out, another when its outcome is
-- known. Neither is ever changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS calls (
    id           uuid PRIMARY KEY,
    request_id   text NOT NULL,
    subject      text NOT NULL,
    role         text NOT NULL,
    method       text NOT NULL,
    action       text NOT NULL,
    key          text NOT NULL,
    regions      text[] NOT NULL,
    request_hash bytea NOT NULL,
    begun_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS calls_by_time ON calls (begun_at, id);

CREATE INDEX IF NOT EXISTS calls_by_key ON calls (method, key);

CREATE TABLE IF NOT EXISTS call_ends (
    call_id  uuid PRIMARY KEY,
    outcome  text NOT NULL,
    error    text NOT NULL,
    job_id   text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE call_ends;
DROP TABLE calls;
