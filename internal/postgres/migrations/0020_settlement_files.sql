-- Settlement files: one row per file of one side, known by the content. The
-- load order says which of two files is the later one. A file's months say
-- which service months it has rows of, and whether a reconciliation that ran
-- after the file was loaded has seen them.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS import_files (
    id         uuid PRIMARY KEY,
    side       text NOT NULL,
    sha256     bytea NOT NULL,
    name       text NOT NULL,
    load_order int8 NOT NULL UNIQUE,
    state      text NOT NULL,
    row_count  int8 NOT NULL DEFAULT 0,
    ignored    text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    loaded_at  timestamptz
);

CREATE TABLE IF NOT EXISTS import_months (
    service_month text NOT NULL,
    file_id       uuid NOT NULL,
    reconciled    bool NOT NULL DEFAULT false,
    PRIMARY KEY (service_month, file_id)
);

-- +goose Down
DROP TABLE import_months;
DROP TABLE import_files;
