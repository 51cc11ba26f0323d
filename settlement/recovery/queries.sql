-- name: GetDeduction :many
SELECT * FROM deductions WHERE id = @id;

-- name: InsertDeduction :exec
INSERT INTO deductions (id, setl_id, insutype, insured, treating, provider, document, reason, decided_on, decided_by, rest_mode, asked_fen, deducted_fen, entry)
VALUES (@id, @setl_id, @insutype, @insured, @treating, @provider, @document, @reason, @decided_on::date, @decided_by, @rest_mode, @asked_fen::int8[], @deducted_fen::int8[], sqlc.narg(entry)::uuid);

-- name: GetCase :many
SELECT * FROM clawbacks WHERE id = @id;

-- name: LockCase :many
SELECT * FROM clawbacks WHERE id = @id FOR UPDATE;

-- name: InsertCase :exec
INSERT INTO clawbacks (id, setl_id, insutype, insured, treating, provider, med_type, mode, document, reason, opened_on, opened_by, claimed_fen, state, steps)
VALUES (@id, @setl_id, @insutype, @insured, @treating, @provider, @med_type, @mode, @document, @reason, @opened_on::date, @opened_by, @claimed_fen::int8[], 'opened', 1);

-- name: StepCase :exec
UPDATE clawbacks SET state = @state, steps = steps + 1 WHERE id = @id;

-- name: InsertStep :exec
INSERT INTO clawback_steps (case_id, step, reference, number, taken_on, taken_by, reason, document, requested, amounts_fen, penalty_fen, record, run_id, entries)
VALUES (@case_id, @step, @reference, @number, @taken_on::date, @taken_by, @reason, @document, @requested, @amounts_fen::int8[], @penalty_fen, @record, @run_id, @entries::uuid[]);

-- name: StepsOf :many
SELECT * FROM clawback_steps WHERE case_id = ANY(@cases::text[]) ORDER BY case_id, number;

-- name: StepsOfRecords :many
SELECT s.*, c.insured, c.treating, c.insutype FROM clawback_steps AS s JOIN clawbacks AS c ON c.id = s.case_id
WHERE s.record = ANY(@records::text[]) ORDER BY s.record, s.step, s.reference;

-- name: PageOfCases :many
SELECT * FROM clawbacks
WHERE (@state::text = '' OR state = @state) AND (@setl_id::text = '' OR setl_id = @setl_id)
    AND (@all_regions::bool OR insured = ANY(@regions::text[]) OR treating = ANY(@regions::text[]))
    AND id > @after::text
ORDER BY id LIMIT @page;

-- name: PageOfDeductions :many
SELECT * FROM deductions
WHERE (@setl_id::text = '' OR setl_id = @setl_id)
    AND (@all_regions::bool OR insured = ANY(@regions::text[]) OR treating = ANY(@regions::text[]))
    AND id > @after::text
ORDER BY id LIMIT @page;

-- What stands between the steps, for the check: all steps that moved money.
-- name: MovedMoney :many
SELECT s.case_id, s.step, s.taken_on, s.amounts_fen, s.entries, c.insured, c.treating, c.insutype, c.mode
FROM clawback_steps AS s JOIN clawbacks AS c ON c.id = s.case_id
WHERE s.step IN ('received', 'settled', 'deposited', 'sent', 'arrived', 'home');
