-- name: InsertRun :exec
INSERT INTO clearing_runs (id, month, kind, state, notice_date, period)
VALUES (@id, @month, @kind, 'collecting', @notice_date::date, '')
ON CONFLICT (id) DO NOTHING;

-- name: GetRun :one
SELECT id, month, kind, state, notice_date, period, frozen_at FROM clearing_runs WHERE id = @id;

-- name: LockRun :one
SELECT id, month, kind, state, notice_date, period, frozen_at FROM clearing_runs WHERE id = @id FOR UPDATE;

-- name: ListRuns :many
SELECT id, month, kind, state, notice_date, period, frozen_at FROM clearing_runs
WHERE @month::text = '' OR month = @month::text
ORDER BY month, kind;

-- name: OtherRuns :many
SELECT id, month, kind, state, notice_date, period, frozen_at FROM clearing_runs
WHERE kind = @kind AND month <> @month ORDER BY month;

-- name: FreezeRun :exec
UPDATE clearing_runs SET state = 'frozen', period = @period, frozen_at = now() WHERE id = @id;

-- name: InsertParts :exec
INSERT INTO run_parts (run, insured, treating, fund, category, part, benefit_year,
    records, carried_over, amount_fen, paid_insured_fen, paid_treating_fen)
SELECT @run::text, unnest(@insured::text[]), unnest(@treating::text[]), unnest(@funds::text[]),
    unnest(@categories::text[]), unnest(@parts::text[]), unnest(@years::int8[]),
    unnest(@records::int8[]), unnest(@carried::int8[]), unnest(@amounts::int8[]),
    unnest(@paid_insured::int8[]), unnest(@paid_treating::int8[]);

-- name: RunParts :many
SELECT run, insured, treating, fund, category, part, benefit_year, records, carried_over,
    amount_fen, paid_insured_fen, paid_treating_fen
FROM run_parts WHERE run = @run
ORDER BY insured, treating, fund, category, part, benefit_year;

-- name: PartsOf :many
SELECT run, insured, treating, fund, category, part, benefit_year, records, carried_over,
    amount_fen, paid_insured_fen, paid_treating_fen
FROM run_parts
WHERE run = @run AND (insured = @party::text OR treating = @party::text) AND fund = ANY(@funds::text[])
ORDER BY insured, treating, fund, category, part, benefit_year
FOR UPDATE;

-- name: WriteParts :exec
INSERT INTO run_parts (run, insured, treating, fund, category, part, benefit_year,
    records, carried_over, amount_fen, paid_insured_fen, paid_treating_fen)
SELECT @run::text, unnest(@insured::text[]), unnest(@treating::text[]), unnest(@funds::text[]),
    unnest(@categories::text[]), unnest(@parts::text[]), unnest(@years::int8[]),
    0, 0, 0, unnest(@paid_insured::int8[]), unnest(@paid_treating::int8[])
ON CONFLICT (run, insured, treating, fund, category, part, benefit_year) DO UPDATE
SET paid_insured_fen = excluded.paid_insured_fen, paid_treating_fen = excluded.paid_treating_fen;

-- name: InsertNotices :exec
INSERT INTO notices (id, run, party, direction, annex, issued, apply_by, due)
SELECT t.id, @run::text, t.party, t.direction, t.annex, @issued::date,
    NULLIF(t.apply_by, '')::date, NULLIF(t.due, '')::date
FROM (
    SELECT unnest(@ids::text[]) AS id, unnest(@parties::text[]) AS party,
        unnest(@directions::text[]) AS direction, unnest(@annexes::text[]) AS annex,
        unnest(@apply_by::text[]) AS apply_by, unnest(@due::text[]) AS due
) AS t;

-- name: InsertNoticeLines :exec
INSERT INTO notice_lines (notice, fund, amount_fen)
SELECT unnest(@notices::text[]), unnest(@funds::text[]), unnest(@amounts::int8[]);

-- name: GetNotice :one
SELECT id, run, party, direction, annex, issued, apply_by, due FROM notices WHERE id = @id;

-- name: ListNotices :many
SELECT n.id, n.run, n.party, n.direction, n.annex, n.issued, n.apply_by, n.due
FROM notices AS n JOIN clearing_runs AS r ON r.id = n.run
WHERE @month::text = '' OR r.month = @month::text
ORDER BY r.month, n.run, n.party, n.direction;

-- name: NoticeLines :many
SELECT notice, fund, amount_fen, paid_fen, closed FROM notice_lines
WHERE notice = ANY(@notices::text[]) ORDER BY notice, fund;

-- name: WriteNoticeLines :exec
INSERT INTO notice_lines (notice, fund, amount_fen, paid_fen, closed)
SELECT @notice::text, unnest(@funds::text[]), 0, unnest(@paid::int8[]), unnest(@closed::bool[])
ON CONFLICT (notice, fund) DO UPDATE SET paid_fen = excluded.paid_fen, closed = excluded.closed;

-- name: GetRemittance :one
SELECT reference, notice, paid_on, counterparty, requested, funds, amounts_fen, entries
FROM remittances WHERE reference = @reference;

-- name: ListRemittances :many
SELECT reference, notice, paid_on, counterparty, requested, funds, amounts_fen, entries
FROM remittances WHERE notice = ANY(@notices::text[]) ORDER BY notice, paid_on, reference;

-- name: InsertRemittance :exec
INSERT INTO remittances (reference, notice, paid_on, counterparty, requested, funds, amounts_fen, entries)
VALUES (@reference, @notice, @paid_on::date, @counterparty, @requested, @funds::text[], @amounts_fen::int8[], @entries::uuid[]);

-- name: LockHoldings :many
SELECT run, fund, counterparty, held_fen, pool_used_fen FROM holdings
WHERE run = @run AND fund = ANY(@funds::text[]) ORDER BY fund, counterparty FOR UPDATE;

-- name: AllHoldings :many
SELECT run, fund, counterparty, held_fen, pool_used_fen FROM holdings ORDER BY run, fund, counterparty;

-- name: WriteHoldings :exec
INSERT INTO holdings (run, fund, counterparty, held_fen, pool_used_fen)
SELECT @run::text, unnest(@funds::text[]), unnest(@counterparties::text[]), unnest(@held::int8[]), unnest(@used::int8[])
ON CONFLICT (run, fund, counterparty) DO UPDATE
SET held_fen = excluded.held_fen, pool_used_fen = excluded.pool_used_fen;

-- name: PageOfNotices :many
SELECT n.id, n.run, n.party, n.direction, n.annex, n.issued, n.apply_by, n.due
FROM notices AS n JOIN clearing_runs AS r ON r.id = n.run
WHERE (@month::text = '' OR r.month = @month) AND (@run::text = '' OR n.run = @run) AND (@kind::text = '' OR r.kind = @kind)
    AND (@direction::text = '' OR n.direction = @direction)
    AND (@all_parties::bool OR n.party = ANY(@parties::text[]))
    AND (NOT @open_only::bool OR EXISTS (SELECT 1 FROM notice_lines AS l WHERE l.notice = n.id AND NOT l.closed))
    AND coalesce(n.due, n.issued) <= coalesce(NULLIF(@due_until::text, ''), '9999-12-31')::date
    AND (n.run, n.party, n.direction) > (@after_run::text, @after_party::text, @after_direction::text)
ORDER BY n.run, n.party, n.direction LIMIT @page;

-- name: PageOfRemittances :many
SELECT m.reference, m.notice, m.paid_on, m.counterparty, m.requested, m.funds, m.amounts_fen, m.entries
FROM remittances AS m JOIN notices AS n ON n.id = m.notice JOIN clearing_runs AS r ON r.id = n.run
WHERE (@month::text = '' OR r.month = @month) AND (@run::text = '' OR n.run = @run)
    AND (@notice::text = '' OR m.notice = @notice) AND (@reference::text = '' OR m.reference = @reference)
    AND (@all_parties::bool OR n.party = ANY(@parties::text[]))
    AND m.paid_on BETWEEN coalesce(NULLIF(@from_date::text, ''), '0001-01-01')::date
        AND coalesce(NULLIF(@to_date::text, ''), '9999-12-31')::date
    AND (m.notice, m.reference) > (@after_notice::text, @after_reference::text)
ORDER BY m.notice, m.reference LIMIT @page;

-- name: RemittancesUnder :many
SELECT reference, notice, paid_on, counterparty, requested, funds, amounts_fen, entries FROM remittances
WHERE split_part(reference, ':', 1) = split_part(@reference::text, ':', 1)
    AND (reference = @reference::text || ':' || notice OR reference = @reference::text || ':' || notice || ':' || counterparty)
ORDER BY notice, reference;

-- name: CountNotices :one
SELECT count(*) FROM notices WHERE run = @run;

-- name: NoticesOfParty :many
SELECT id FROM notices WHERE run = @run AND party = @party ORDER BY id;

-- name: YearOfRuns :many
SELECT r.month, r.kind, p.insured, p.treating, p.fund, sum(p.amount_fen)::int8 AS amount_fen
FROM run_parts AS p JOIN clearing_runs AS r ON r.id = p.run
WHERE r.kind IN ('in-province', 'cross-out') AND r.month LIKE @year::text || '-%'
GROUP BY r.month, r.kind, p.insured, p.treating, p.fund
ORDER BY r.month, r.kind, p.insured, p.treating, p.fund;

-- name: NationalClearing :many
SELECT l.period AS month, l.state, coalesce(f.fund, '')::text AS fund,
    coalesce(f.first_fen, 0)::int8 AS payable_fen, coalesce(f.second_fen, 0)::int8 AS receivable_fen
FROM national_lists AS l LEFT JOIN national_figures AS f ON f.list = l.id AND f.province = @province::text
WHERE l.kind = 'clearing' AND l.in_force
ORDER BY l.period, f.fund;

-- name: PaidToProvince :many
SELECT r.month, t.fund, t.paid_fen
FROM notices AS n JOIN clearing_runs AS r ON r.id = n.run JOIN notice_lines AS t ON t.notice = n.id
WHERE n.party = @province AND n.direction = 'receive' AND r.kind = 'cross-out'
ORDER BY r.month, t.fund;

-- name: OwedToProvince :many
SELECT r.month, p.fund, sum(p.amount_fen)::int8 AS amount_fen
FROM run_parts AS p JOIN clearing_runs AS r ON r.id = p.run
WHERE r.kind = 'cross-out' AND r.state = 'frozen' AND p.treating = @province
GROUP BY r.month, p.fund
ORDER BY r.month, p.fund;
