-- Prepayment money that moved, on a notice of ours or, where another province
-- prepays us, on one of theirs (document). The bank's reference is the
-- idempotency key. Moves are never changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS prepayment_moves (
    reference   text PRIMARY KEY,
    notice      text NOT NULL,
    origin      text NOT NULL,
    party       text NOT NULL,
    direction   text NOT NULL,
    event       text NOT NULL,
    moved_on    date NOT NULL,
    document    text NOT NULL,
    requested   text NOT NULL,
    funds       text[] NOT NULL,
    amounts_fen int8[] NOT NULL,
    entry       uuid NOT NULL UNIQUE,
    by_whom     text NOT NULL
);

CREATE INDEX IF NOT EXISTS prepayment_moves_by_notice ON prepayment_moves (notice, moved_on, reference);

CREATE INDEX IF NOT EXISTS prepayment_moves_by_origin ON prepayment_moves (origin);

-- +goose Down
DROP TABLE prepayment_moves;
