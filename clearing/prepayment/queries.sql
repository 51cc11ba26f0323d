-- name: GetPlan :one
SELECT id, year, scheme, issued, source, made_by FROM prepayment_plans WHERE id = @id;

-- name: ListPlans :many
SELECT id, year, scheme, issued, source, made_by FROM prepayment_plans
WHERE (@scheme::text = '' OR scheme = @scheme::text) AND (@year::int8 = 0 OR year = @year::int8)
ORDER BY scheme, year;

-- name: InsertPlan :exec
INSERT INTO prepayment_plans (id, year, scheme, issued, source, made_by)
VALUES (@id, @year, @scheme, @issued::date, @source, @made_by);

-- name: InsertPlanBases :exec
INSERT INTO prepayment_plan_bases (plan, basis, fund, party, period, amount_fen)
SELECT @plan::text, unnest(@bases::text[]), unnest(@funds::text[]), unnest(@parties::text[]), unnest(@periods::text[]), unnest(@amounts::int8[]);

-- name: PlanBases :many
SELECT plan, basis, fund, party, period, amount_fen FROM prepayment_plan_bases
WHERE plan = @plan ORDER BY basis, fund, party, period;

-- name: InsertPlanQuotas :exec
INSERT INTO prepayment_plan_quotas (plan, fund, city, province, quota_fen)
SELECT @plan::text, unnest(@funds::text[]), unnest(@cities::text[]), unnest(@provinces::text[]), unnest(@quotas::int8[]);

-- name: PlanQuotas :many
SELECT plan, fund, city, province, quota_fen FROM prepayment_plan_quotas
WHERE plan = @plan ORDER BY province, fund, city;

-- name: InsertPlanPositions :exec
INSERT INTO prepayment_plan_positions (plan, party, fund, quota_fen, held_fen)
SELECT @plan::text, unnest(@parties::text[]), unnest(@funds::text[]), unnest(@quotas::int8[]), unnest(@held::int8[]);

-- name: PlanPositions :many
SELECT plan, party, fund, quota_fen, held_fen FROM prepayment_plan_positions
WHERE plan = @plan ORDER BY party, fund;

-- name: GetStep :one
SELECT key, subject, number, step, taken_on, by_whom, document, reason, content, recorded_at FROM prepayment_steps WHERE key = @key;

-- name: StepsOf :many
SELECT key, subject, number, step, taken_on, by_whom, document, reason, content, recorded_at FROM prepayment_steps
WHERE subject = @subject ORDER BY number;

-- name: InsertStep :exec
INSERT INTO prepayment_steps (key, subject, number, step, taken_on, by_whom, document, reason, content)
VALUES (@key, @subject, @number, @step, @taken_on::date, @by_whom, @document, @reason, @content);

-- name: InsertNotices :exec
INSERT INTO prepayment_notices (id, origin, scheme, year, party, direction, annex, issued, apply_by, due)
SELECT t.id, @origin::text, @scheme::text, @year::int8, t.party, t.direction, t.annex, @issued::date,
    NULLIF(t.apply_by, '')::date, NULLIF(t.due, '')::date
FROM (
    SELECT unnest(@ids::text[]) AS id, unnest(@parties::text[]) AS party, unnest(@directions::text[]) AS direction,
        unnest(@annexes::text[]) AS annex, unnest(@apply_by::text[]) AS apply_by, unnest(@due::text[]) AS due
) AS t;

-- name: InsertNoticeLines :exec
INSERT INTO prepayment_notice_lines (notice, fund, amount_fen)
SELECT unnest(@notices::text[]), unnest(@funds::text[]), unnest(@amounts::int8[]);

-- name: LockNotice :one
SELECT id, origin, scheme, year, party, direction, annex, issued, apply_by, due FROM prepayment_notices WHERE id = @id FOR UPDATE;

-- name: ListNotices :many
SELECT id, origin, scheme, year, party, direction, annex, issued, apply_by, due FROM prepayment_notices
WHERE (@id::text = '' OR id = @id::text) AND (@origin::text = '' OR origin = @origin::text)
    AND (@year::int8 = 0 OR year = @year::int8) AND (@party::text = '' OR party = @party::text)
ORDER BY id;

-- name: NoticeLines :many
SELECT notice, fund, amount_fen FROM prepayment_notice_lines WHERE notice = ANY(@notices::text[]) ORDER BY notice, fund;

-- name: GetMove :one
SELECT reference, notice, origin, party, direction, event, moved_on, document, requested, funds, amounts_fen, entry, by_whom
FROM prepayment_moves WHERE reference = @reference;

-- name: MovesOf :many
SELECT reference, notice, origin, party, direction, event, moved_on, document, requested, funds, amounts_fen, entry, by_whom
FROM prepayment_moves WHERE notice = ANY(@notices::text[]) ORDER BY notice, moved_on, reference;

-- name: MovesUnder :many
SELECT reference, notice, origin, party, direction, event, moved_on, document, requested, funds, amounts_fen, entry, by_whom
FROM prepayment_moves WHERE origin LIKE @prefix::text || '%' ORDER BY origin, moved_on, reference;

-- name: InsertMove :exec
INSERT INTO prepayment_moves (reference, notice, origin, party, direction, event, moved_on, document, requested, funds, amounts_fen, entry, by_whom)
VALUES (@reference, @notice, @origin, @party, @direction, @event, @moved_on::date, @document, @requested, @funds::text[], @amounts_fen::int8[], @entry, @by_whom);

-- name: InsertTopUp :execrows
INSERT INTO top_ups (id, month, province, opened_on, state)
VALUES (@id, @month, @province, @opened_on::date, 'open')
ON CONFLICT (id) DO NOTHING;

-- name: InsertTopUpFunds :exec
INSERT INTO top_up_funds (top_up, fund, cleared_fen, held_fen)
SELECT @top_up::text, unnest(@funds::text[]), unnest(@cleared::int8[]), unnest(@held::int8[]);

-- name: LockTopUp :one
SELECT id, month, province, opened_on, state FROM top_ups WHERE id = @id FOR UPDATE;

-- name: ListTopUps :many
SELECT id, month, province, opened_on, state FROM top_ups
WHERE (@id::text = '' OR id = @id::text) AND (@month::text = '' OR month = @month::text)
    AND (@province::text = '' OR province = @province::text)
ORDER BY month, province;

-- name: SetTopUpState :exec
UPDATE top_ups SET state = @state WHERE id = @id;

-- name: TopUpFunds :many
SELECT top_up, fund, cleared_fen, held_fen, proposed_fen, approved_fen FROM top_up_funds WHERE top_up = ANY(@top_ups::text[]) ORDER BY top_up, fund;

-- name: WriteProposal :exec
INSERT INTO top_up_funds (top_up, fund, cleared_fen, held_fen, proposed_fen)
SELECT @top_up::text, unnest(@funds::text[]), 0, 0, unnest(@amounts::int8[])
ON CONFLICT (top_up, fund) DO UPDATE SET proposed_fen = excluded.proposed_fen;

-- name: WriteApproval :exec
INSERT INTO top_up_funds (top_up, fund, cleared_fen, held_fen, approved_fen)
SELECT @top_up::text, unnest(@funds::text[]), 0, 0, unnest(@amounts::int8[])
ON CONFLICT (top_up, fund) DO UPDATE SET approved_fen = excluded.approved_fen;

-- name: InsertTopUpParts :exec
INSERT INTO top_up_parts (top_up, fund, city, amount_fen)
SELECT @top_up::text, unnest(@funds::text[]), unnest(@cities::text[]), unnest(@amounts::int8[]);

-- name: TopUpParts :many
SELECT top_up, fund, city, amount_fen FROM top_up_parts WHERE top_up = ANY(@top_ups::text[]) ORDER BY top_up, fund, city;

-- name: InsertNationalList :execrows
INSERT INTO national_lists (id, kind, period, file, imported_by, imported_on, state, in_force)
VALUES (@id, @kind, @period, @file, @imported_by, @imported_on::date, 'imported', true)
ON CONFLICT (id) DO NOTHING;

-- name: SupersedeNationalLists :exec
UPDATE national_lists SET in_force = false WHERE kind = @kind AND period = @period AND id <> @id AND in_force;

-- name: InsertNationalFigures :exec
INSERT INTO national_figures (list, province, fund, line, first_fen, second_fen)
SELECT @list::text, unnest(@provinces::text[]), unnest(@funds::text[]), unnest(@lines::int8[]), unnest(@first::int8[]), unnest(@second::int8[]);

-- name: ListNationalLists :many
SELECT id, kind, period, file, imported_by, imported_on, state, in_force FROM national_lists
WHERE (@id::text = '' OR id = @id::text) AND (@kind::text = '' OR kind = @kind::text) AND (@period::text = '' OR period = @period::text)
    AND (in_force OR NOT @in_force_only::bool)
ORDER BY id;

-- name: LockNationalList :one
SELECT id, kind, period, file, imported_by, imported_on, state, in_force FROM national_lists WHERE id = @id FOR UPDATE;

-- name: AcceptNationalList :exec
UPDATE national_lists SET state = 'accepted' WHERE id = @id;

-- name: NationalFigures :many
SELECT list, province, fund, line, first_fen, second_fen FROM national_figures WHERE list = @list ORDER BY province, fund;

-- name: AllMoves :many
SELECT reference, notice, origin, party, direction, event, moved_on, document, requested, funds, amounts_fen, entry, by_whom
FROM prepayment_moves ORDER BY reference;
