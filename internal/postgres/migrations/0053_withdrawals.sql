-- Withdrawals (冲正): a side says that a settlement never was. The file is one of
-- import_files, so that of a record and its withdrawal the later file counts.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS withdrawals (
    setl_id      text NOT NULL,
    side         text NOT NULL,
    file_id      uuid NOT NULL,
    line         int8 NOT NULL,
    withdrawn_on date NOT NULL,
    reason       text NOT NULL,
    document     text NOT NULL,
    PRIMARY KEY (setl_id, side)
);

CREATE INDEX IF NOT EXISTS withdrawals_by_file ON withdrawals (file_id);

-- +goose Down
DROP TABLE withdrawals;
