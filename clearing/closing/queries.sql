-- Open exceptions of the service month that the region is a
-- side of; one of which no side has a valid record concerns all.
-- name: OpenExceptions :many
SELECT e.service_month, e.kind, count(*) AS settlements FROM exceptions AS e
WHERE e.service_month = @month::text AND e.resolved_at IS NULL
    AND (@everywhere::bool
        OR EXISTS (SELECT 1 FROM side_records AS r WHERE r.setl_id = e.setl_id AND (r.insured = @region::text OR r.treating = @region::text))
        OR NOT EXISTS (SELECT 1 FROM side_records AS r WHERE r.setl_id = e.setl_id AND r.insured <> ''))
GROUP BY e.service_month, e.kind ORDER BY e.service_month, e.kind;

-- name: WaitingRefunds :many
SELECT service_month, count(*) AS settlements FROM settlements_apart
WHERE state = 'waiting' AND service_month = @month::text
    AND (@everywhere::bool OR insured = @region::text OR treating = @region::text)
GROUP BY service_month ORDER BY service_month;

-- name: OpenUploads :many
SELECT batch_id, file_name, state FROM uploads WHERE ended_at IS NULL ORDER BY created_at, batch_id LIMIT @page;

-- name: UnreconciledFiles :many
SELECT f.name, f.state, m.service_month FROM import_months AS m JOIN import_files AS f ON f.id = m.file_id
WHERE m.service_month = @month::text AND NOT m.reconciled
ORDER BY f.load_order, m.service_month LIMIT @page;

-- name: LoadingFiles :many
SELECT name FROM import_files WHERE state = 'loading' ORDER BY load_order LIMIT @page;

-- name: OpenRuns :many
SELECT id FROM clearing_runs WHERE state <> 'frozen' AND notice_date <= @until::date ORDER BY id;
