-- Who pays all of a month at once gives each remittance a reference that begins
-- with his and a colon. Compared for being equal, the index serves whatever the
-- order of texts in the database is.

-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS remittances_by_batch ON remittances ((split_part(reference, ':', 1)));

-- +goose Down
DROP INDEX remittances_by_batch;
