-- What was posted into another accounting period than the month of its business
-- date, per account, month and period. The turnover of a period is that of its
-- month in account_months, less what was shifted out of it, and what was
-- shifted into it; an account of which nothing was shifted has no row. Its head
-- says how far it goes: a server of the version before projects without it, and
-- the next one that projects makes up for it.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS account_shifts (
    account        text NOT NULL,
    month          text NOT NULL,
    period         text NOT NULL,
    debit_fen      int8 NOT NULL,
    credit_fen     int8 NOT NULL,
    first_position int8 NOT NULL,
    last_position  int8 NOT NULL,
    PRIMARY KEY (account, month, period)
);

INSERT INTO heads (name, position)
SELECT 'shifted', h.position FROM heads AS h WHERE h.name = 'projected'
ON CONFLICT (name) DO NOTHING;

INSERT INTO account_shifts (account, month, period, debit_fen, credit_fen, first_position, last_position)
SELECT l.account, substr(e.business_date::text, 1, 7), e.period,
    sum(CASE WHEN l.side = 'D' THEN (l.amount * 100)::int8 ELSE 0 END)::int8,
    sum(CASE WHEN l.side = 'C' THEN (l.amount * 100)::int8 ELSE 0 END)::int8,
    min(l.position), max(l.position)
FROM lines AS l JOIN entries AS e ON e.id = l.entry_id
WHERE e.period <> substr(e.business_date::text, 1, 7)
    AND l.position <= (SELECT h.position FROM heads AS h WHERE h.name = 'shifted')
GROUP BY l.account, substr(e.business_date::text, 1, 7), e.period
ON CONFLICT (account, month, period) DO NOTHING;

-- +goose Down
DROP TABLE account_shifts;
DELETE FROM heads WHERE name = 'shifted';
