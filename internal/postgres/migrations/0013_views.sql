-- Postings as plain rows in yuan, for people who ask in SQL.

-- +goose NO TRANSACTION
-- +goose Up
CREATE OR REPLACE VIEW postings AS
SELECT p.entry_id, p.key, p.business_date, p.period, p.kind, p.summary,
    p.leg->>'a' AS account,
    p.leg->>'s' AS side,
    ((p.leg->>'m')::decimal * 0.01)::decimal(20, 2) AS amount,
    p.leg->>'r' AS run,
    p.leg->>'c' AS category,
    p.leg->>'p' AS part,
    (p.leg->>'y')::int8 AS benefit_year
FROM (
    SELECT e.id AS entry_id, e.key, e.business_date, e.period, e.kind, e.summary,
        jsonb_array_elements(e.legs) AS leg
    FROM entries AS e
) AS p;

CREATE OR REPLACE VIEW lines AS
SELECT b.account,
    (b.line->>0)::int8 AS position,
    (b.line->>1)::int8 AS leg,
    (b.line->>2)::date AS business_date,
    b.line->>3 AS side,
    ((b.line->>4)::decimal * 0.01)::decimal(20, 2) AS amount,
    (b.line->>5)::uuid AS entry_id
FROM (
    SELECT l.account, jsonb_array_elements(l.lines) AS line
    FROM account_lines AS l
) AS b;

-- +goose Down
DROP VIEW lines;
DROP VIEW postings;
