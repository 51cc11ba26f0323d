-- Payment and receipt notices (付款通知书, 收款通知书) and what is paid on them.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS notices (
    id        text PRIMARY KEY,
    run       text NOT NULL,
    party     text NOT NULL,
    direction text NOT NULL,
    annex     text NOT NULL,
    issued    date NOT NULL,
    apply_by  date,
    due       date,
    UNIQUE (run, party, direction)
);

CREATE TABLE IF NOT EXISTS notice_lines (
    notice     text NOT NULL,
    fund       text NOT NULL,
    amount_fen int8 NOT NULL,
    paid_fen   int8 NOT NULL DEFAULT 0,
    closed     bool NOT NULL DEFAULT false,
    PRIMARY KEY (notice, fund)
);

-- +goose Down
DROP TABLE notice_lines;
DROP TABLE notices;
