-- The blocks of negative records, by run: clearing asks for them at each payment.

-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS accepted_blocks_negative ON accepted_blocks (run_id) WHERE negative;

-- +goose Down
DROP INDEX accepted_blocks_negative;
