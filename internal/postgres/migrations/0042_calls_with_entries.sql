-- A call that posts entries is written with them, in one commit, and so with its
-- outcome. Of all others the outcome is empty here and stands in call_ends.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE calls ADD COLUMN IF NOT EXISTS outcome text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE calls DROP COLUMN outcome;
