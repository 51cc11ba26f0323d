-- name: InsertJob :one
INSERT INTO jobs (id, kind, key, action, subject, request_type, request, state)
VALUES (@id, @kind, @key, @action, @subject, @request_type, @request, 'queued')
RETURNING *;

-- name: FindJob :many
SELECT * FROM jobs WHERE kind = @kind AND key = @key;

-- name: GetJob :many
SELECT * FROM jobs WHERE id = @id;

-- name: ListJobs :many
SELECT * FROM jobs
WHERE (@state::text = '' OR state = @state)
    AND (@action::text = '' OR action = @action)
    AND (@subject::text = '' OR subject = @subject)
    AND (sqlc.narg(from_time)::timestamptz IS NULL OR created_at >= sqlc.narg(from_time)::timestamptz)
    AND (sqlc.narg(until_time)::timestamptz IS NULL OR created_at < sqlc.narg(until_time)::timestamptz)
    AND (@everything::bool OR subject = @reader::text OR action = ANY(@actions::text[]))
    AND (sqlc.narg(before_time)::timestamptz IS NULL OR created_at < sqlc.narg(before_time)::timestamptz
        OR created_at = sqlc.narg(before_time)::timestamptz AND id < @before_id::uuid)
ORDER BY created_at DESC, id DESC LIMIT @page;

-- name: WaitingJobs :many
SELECT id, term FROM jobs
WHERE state IN ('queued', 'running') AND available_at <= now() AND kind = ANY(@kinds::text[])
ORDER BY available_at LIMIT @page;

-- name: TakeJob :many
UPDATE jobs SET state = 'running', owner = @owner, term = term + 1, started_at = coalesce(started_at, now()),
    available_at = now() + (@milliseconds::int8) * INTERVAL '1 millisecond'
WHERE id = @id AND term = @term AND state IN ('queued', 'running') AND available_at <= now()
RETURNING *;

-- name: RenewJob :many
UPDATE jobs SET available_at = now() + (@milliseconds::int8) * INTERVAL '1 millisecond', done = @done, total = @total, unit = @unit
WHERE id = @id AND term = @term AND state = 'running'
RETURNING cancelled_by;

-- name: GiveBackJob :execrows
UPDATE jobs SET state = 'queued', owner = '', available_at = now() + (@milliseconds::int8) * INTERVAL '1 millisecond',
    done = @done, total = @total, unit = @unit
WHERE id = @id AND term = @term AND state = 'running';

-- name: EndJob :execrows
UPDATE jobs SET state = @state, owner = '', ended_at = now(), done = @done, total = @total, unit = @unit,
    result_type = @result_type, result = @result, error = @error
WHERE id = @id AND term = @term AND state = 'running';

-- name: FindCancel :many
SELECT id FROM jobs WHERE cancel_key = @cancel_key::text;

-- name: CancelJob :many
UPDATE jobs SET cancelled_by = @cancelled_by, cancel_key = @cancel_key::text,
    state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
    ended_at = CASE state WHEN 'queued' THEN now() ELSE ended_at END
WHERE id = @id AND state IN ('queued', 'running') AND cancelled_by = ''
RETURNING *;
