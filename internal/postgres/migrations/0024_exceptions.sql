-- Settlements that the three sides do not agree on, kept when they are resolved.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS exceptions (
    setl_id       text PRIMARY KEY,
    service_month text NOT NULL,
    kind          text NOT NULL,
    refund        bool NOT NULL,
    detail        text NOT NULL,
    found_at      timestamptz NOT NULL DEFAULT now(),
    resolved_at   timestamptz,
    resolved_by   text NOT NULL DEFAULT ''
);

CREATE INDEX IF NOT EXISTS exceptions_by_month ON exceptions (service_month, kind);

-- +goose Down
DROP TABLE exceptions;
