-- Who: regions, the books that their institutions keep, and the profile that
-- the deployment was set up from.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS regions (
    code text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL
);

CREATE TABLE IF NOT EXISTS books (
    book    text PRIMARY KEY,
    region  text NOT NULL,
    role    text NOT NULL,
    profile text NOT NULL
);

-- +goose Down
DROP TABLE books;
DROP TABLE regions;
