-- Blocks of paid lists that may have items of the settlements.
-- name: PaidBlocks :many
SELECT c.items AS block FROM provider_coverage AS c JOIN provider_lists AS l ON l.id = c.list_id AND l.state = 'paid'
WHERE (c.list_id, c.number) IN (
    SELECT b.list_id, b.number
    FROM (SELECT unnest(@setl_ids::text[]) AS setl_id) AS w
        JOIN side_records AS r ON r.setl_id = w.setl_id AND r.side = 'center'
        JOIN provider_coverage AS b ON b.provider = r.provider AND b.first_id <= w.setl_id AND b.last_id >= w.setl_id
);

-- name: OpenAccount :exec
INSERT INTO provider_accounts (treating, provider, taken, version) VALUES (@treating, @provider, 0, 0)
ON CONFLICT (treating, provider) DO NOTHING;

-- name: GetAccount :many
SELECT taken, version FROM provider_accounts WHERE treating = @treating AND provider = @provider;

-- name: LockAccount :one
SELECT taken, version FROM provider_accounts WHERE treating = @treating AND provider = @provider FOR UPDATE;

-- name: MoveAccount :exec
UPDATE provider_accounts SET taken = @taken, version = version + 1 WHERE treating = @treating AND provider = @provider;

-- name: ReadOpen :many
SELECT items AS block FROM provider_open WHERE treating = @treating AND provider = @provider ORDER BY number;

-- name: ClearOpen :exec
DELETE FROM provider_open WHERE treating = @treating AND provider = @provider;

-- name: WriteOpen :exec
INSERT INTO provider_open (treating, provider, number, items)
SELECT @treating::text, @provider::text, t.number, t.items::jsonb
FROM (SELECT unnest(@numbers::int8[]) AS number, unnest(@items::text[]) AS items) AS t;

-- name: GetList :many
SELECT * FROM provider_lists WHERE id = @id;

-- name: LockList :many
SELECT * FROM provider_lists WHERE id = @id FOR UPDATE;

-- name: ListByReference :many
SELECT id FROM provider_lists WHERE reference = @reference AND reference <> '';

-- name: InsertList :exec
INSERT INTO provider_lists (id, treating, provider, requested, through, state, funds, amounts_fen, settlements, made_on)
VALUES (@id, @treating, @provider, @requested, @through, @state, @funds::text[], @amounts_fen::int8[], @settlements, @made_on);

-- name: EndList :exec
UPDATE provider_lists SET state = @state, paid_on = sqlc.narg('paid_on')::date, reference = @reference, entry_id = sqlc.narg('entry_id')::uuid WHERE id = @id;

-- name: PageOfLists :many
SELECT * FROM provider_lists
WHERE (@treating::text = '' OR treating = @treating) AND (@provider::text = '' OR provider = @provider)
    AND (@state::text = '' OR state = @state) AND (@all_regions::bool OR treating = ANY(@regions::text[])) AND id > @after::text
ORDER BY id LIMIT @page;

-- name: WriteCoverage :exec
INSERT INTO provider_coverage (list_id, number, provider, first_id, last_id, items)
SELECT @list_id::text, t.number, @provider::text, t.first_id, t.last_id, t.items::jsonb
FROM (SELECT unnest(@numbers::int8[]) AS number, unnest(@firsts::text[]) AS first_id, unnest(@lasts::text[]) AS last_id,
    unnest(@items::text[]) AS items) AS t;

-- name: ReadCoverage :many
SELECT number, items AS block FROM provider_coverage WHERE list_id = @list_id AND number > @after ORDER BY number LIMIT @blocks;

-- name: LastEvent :one
SELECT coalesce(max(number), 0)::int8 FROM provider_events WHERE subject = @subject;

-- name: InsertEvent :exec
INSERT INTO provider_events (subject, number, step, happened_on, person, document, reason)
VALUES (@subject, @number, @step, @happened_on, @person, @document, @reason);

-- name: EventsOf :many
SELECT number, step, happened_on, person, document, reason FROM provider_events WHERE subject = @subject ORDER BY number;

-- name: ListsInState :many
SELECT * FROM provider_lists WHERE treating = @treating AND provider = @provider AND state = @state ORDER BY id;

-- name: LastMatch :many
SELECT * FROM provider_matches
WHERE treating = @treating AND provider = @provider AND month = @month ORDER BY number DESC LIMIT 1;

-- name: MatchOfContent :many
SELECT * FROM provider_matches
WHERE treating = @treating AND provider = @provider AND month = @month AND sha256 = @sha256 AND ours_sha256 = @ours_sha256 LIMIT 1;

-- name: InsertMatch :exec
INSERT INTO provider_matches (treating, provider, month, number, file, sha256, ours_sha256, their_records, their_fen, our_records, our_fen,
    equal_records, equal_fen, matched_on, matched_by, position)
VALUES (@treating, @provider, @month, @number, @file, @sha256, @ours_sha256, @their_records, @their_fen, @our_records, @our_fen,
    @equal_records, @equal_fen, @matched_on, @matched_by, @position);

-- name: InsertDifferences :exec
INSERT INTO provider_differences (treating, provider, month, number, setl_id, kind, their_fen, our_fen, detail)
SELECT @treating::text, @provider::text, @month::text, @number::int8, unnest(@setl_ids::text[]), unnest(@kinds::text[]),
    unnest(@theirs::int8[]), unnest(@ours::int8[]), unnest(@details::text[]);

-- name: CountDifferences :many
SELECT kind, count(*)::int8 AS records FROM provider_differences
WHERE treating = @treating AND provider = @provider AND month = @month AND number = @number GROUP BY kind ORDER BY kind;

-- name: PageOfDifferences :many
SELECT setl_id, kind, their_fen, our_fen, detail FROM provider_differences
WHERE treating = @treating AND provider = @provider AND month = @month AND number = @number
    AND (@kind::text = '' OR kind = @kind) AND setl_id > @after::text
ORDER BY setl_id LIMIT @page;

-- name: MatchesOf :many
SELECT * FROM provider_matches
WHERE treating = @treating AND provider = @provider AND month = @month AND (@number::int8 = 0 OR number = @number)
ORDER BY number DESC;

-- name: InsertReimbursement :exec
INSERT INTO reimbursements (region, document, psn_no, med_type, bill_fen, funds, parts, amounts_fen, received_on, received_by, due_on, longest_on, state)
VALUES (@region, @document, @psn_no, @med_type, @bill_fen, @funds::text[], @parts::text[], @amounts_fen::int8[], @received_on, @received_by, @due_on, @longest_on, @state)
ON CONFLICT (region, document) DO NOTHING;

-- name: LockReimbursement :many
SELECT * FROM reimbursements WHERE region = @region AND document = @document FOR UPDATE;

-- name: GetReimbursement :many
SELECT * FROM reimbursements WHERE region = @region AND document = @document;

-- name: MoveReimbursement :exec
UPDATE reimbursements SET state = @state, due_on = @due_on, paid_on = sqlc.narg('paid_on')::date, reference = @reference, entry_id = sqlc.narg('entry_id')::uuid
WHERE region = @region AND document = @document;

-- name: PageOfReimbursements :many
SELECT * FROM reimbursements
WHERE (@region::text = '' OR region = @region) AND (@state::text = '' OR state = @state)
    AND (NOT @overdue::bool OR (state IN ('received', 'approved') AND due_on < @as_of::date))
    AND received_on <= @as_of AND (@all_regions::bool OR region = ANY(@regions::text[]))
    AND (due_on, region, document) > (@after_due::date, @after_region::text, @after_document::text)
ORDER BY due_on, region, document LIMIT @page;

-- name: InsertFeeCheck :exec
INSERT INTO fee_checks (id, setl_id, insured, treating, provider, bill_fen, reason, asked_on, asked_by, answer_due, state)
VALUES (@id, @setl_id, @insured, @treating, @provider, @bill_fen, @reason, @asked_on, @asked_by, @answer_due, @state)
ON CONFLICT (id) DO NOTHING;

-- name: LockFeeCheck :many
SELECT * FROM fee_checks WHERE id = @id FOR UPDATE;

-- name: GetFeeCheck :many
SELECT * FROM fee_checks WHERE id = @id;

-- name: OpenFeeChecksOf :many
SELECT id FROM fee_checks WHERE setl_id = @setl_id AND state <> 'closed' AND id <> @own_id;

-- name: MoveFeeCheck :exec
UPDATE fee_checks SET state = @state, outcome = @outcome, differs_fen = @differs_fen, answered_on = sqlc.narg('answered_on')::date,
    confirm_due = sqlc.narg('confirm_due')::date, closed_on = sqlc.narg('closed_on')::date
WHERE id = @id;

-- name: PageOfFeeChecks :many
SELECT * FROM fee_checks
WHERE (@region::text = '' OR insured = @region OR treating = @region) AND (@state::text = '' OR state = @state)
    AND (NOT @overdue::bool OR (state IN ('asked', 'disputed') AND answer_due < @as_of::date) OR (state = 'answered' AND confirm_due < @as_of::date))
    AND asked_on <= @as_of AND (@all_regions::bool OR insured = ANY(@regions::text[]) OR treating = ANY(@regions::text[])) AND id > @after::text
ORDER BY id LIMIT @page;
