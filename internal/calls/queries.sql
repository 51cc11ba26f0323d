-- name: InsertCalls :exec
INSERT INTO calls (id, request_id, subject, role, method, action, key, regions, request_hash)
SELECT t.id, t.request_id, t.subject, t.role, t.method, t.action, t.key, string_to_array(t.regions, ','), t.request_hash FROM (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@request_ids::text[]) AS request_id, unnest(@subjects::text[]) AS subject,
        unnest(@roles::text[]) AS role, unnest(@methods::text[]) AS method, unnest(@actions::text[]) AS action,
        unnest(@keys::text[]) AS key, unnest(@regions::text[]) AS regions, unnest(@request_hashes::bytea[]) AS request_hash
) AS t
ON CONFLICT (id) DO NOTHING;

-- name: InsertCallEnds :exec
INSERT INTO call_ends (call_id, outcome, error, job_id)
SELECT t.call_id, t.outcome, t.error, t.job_id FROM (
    SELECT unnest(@call_ids::uuid[]) AS call_id, unnest(@outcomes::text[]) AS outcome,
        unnest(@errors::text[]) AS error, unnest(@job_ids::text[]) AS job_id
) AS t
ON CONFLICT (call_id) DO NOTHING;

-- name: ListCalls :many
SELECT sqlc.embed(calls), coalesce(e.outcome, nullif(calls.outcome, ''), 'unknown')::text AS ended_as, coalesce(e.error, '')::text AS error,
    coalesce(e.job_id, '')::text AS job_id, e.ended_at AS ended_at
FROM calls LEFT JOIN call_ends AS e ON e.call_id = calls.id
WHERE (@subject::text = '' OR calls.subject = @subject)
    AND (@action::text = '' OR calls.action = @action)
    AND (@method::text = '' OR calls.method = @method)
    AND (@key::text = '' OR calls.key = @key)
    AND (@request_id::text = '' OR calls.request_id = @request_id)
    AND (@region::text = '' OR @region::text = ANY(calls.regions))
    AND (@everything::bool OR calls.regions && @visible::text[])
    AND (@outcome::text = '' OR coalesce(e.outcome, nullif(calls.outcome, ''), 'unknown') = @outcome::text)
    AND (sqlc.narg(from_time)::timestamptz IS NULL OR calls.begun_at >= sqlc.narg(from_time)::timestamptz)
    AND (sqlc.narg(until_time)::timestamptz IS NULL OR calls.begun_at < sqlc.narg(until_time)::timestamptz)
    AND (sqlc.narg(before_time)::timestamptz IS NULL OR calls.begun_at < sqlc.narg(before_time)::timestamptz
        OR calls.begun_at = sqlc.narg(before_time)::timestamptz AND calls.id < @before_id::uuid)
ORDER BY calls.begun_at DESC, calls.id DESC LIMIT @page;
