-- The Merkle tree over the sequence (RFC 6962): its hashes in the dense order
-- of tlog, appended in rows of many, and the checkpoints signed over it.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS tree_hashes (
    first_index int8 PRIMARY KEY,
    hashes      bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS checkpoints (
    position int8 NOT NULL,
    signer   text NOT NULL,
    note     text NOT NULL,
    PRIMARY KEY (position, signer)
);

-- +goose Down
DROP TABLE checkpoints;
DROP TABLE tree_hashes;
