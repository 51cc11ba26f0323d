-- Rows of files that are not (or no longer) their side's record, and why.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS set_aside (
    file_id       uuid NOT NULL,
    line          int8 NOT NULL,
    side          text NOT NULL,
    cause         text NOT NULL,
    kind          text NOT NULL,
    setl_id       text NOT NULL,
    service_month text NOT NULL,
    field         text NOT NULL,
    reason        text NOT NULL,
    content       text NOT NULL,
    PRIMARY KEY (file_id, line)
);

CREATE INDEX IF NOT EXISTS set_aside_by_month ON set_aside (service_month, cause);

-- +goose Down
DROP TABLE set_aside;
