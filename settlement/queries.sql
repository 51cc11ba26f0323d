-- name: GetFile :one
SELECT id, side, sha256, name, load_order, state, row_count, ignored FROM import_files WHERE id = @id;

-- name: LastLoadOrder :one
SELECT coalesce(max(load_order), 0)::int8 FROM import_files;

-- name: InsertFile :exec
INSERT INTO import_files (id, side, sha256, name, load_order, state, ignored)
VALUES (@id, @side, @sha256, @name, @load_order, 'loading', @ignored::text[]);

-- name: FinishFile :exec
UPDATE import_files SET state = 'loaded', row_count = @row_count, loaded_at = now()
WHERE id = @id AND state = 'loading';

-- name: LoadOrders :many
SELECT id, name, load_order FROM import_files WHERE id = ANY(@ids::uuid[]);

-- name: LoadingFiles :many
SELECT id, side, name FROM import_files WHERE state = 'loading' ORDER BY load_order;

-- name: FilesStamp :one
SELECT coalesce(max(load_order), 0)::int8 AS last_order, count(*) FILTER (WHERE state = 'loading') AS loading
FROM import_files;

-- name: AddFileMonths :exec
INSERT INTO import_months (file_id, service_month)
SELECT @file_id::uuid, unnest(@months::text[])
ON CONFLICT (service_month, file_id) DO NOTHING;

-- name: MonthFiles :many
SELECT m.file_id, m.reconciled, f.side, f.name, f.state
FROM import_months AS m JOIN import_files AS f ON f.id = m.file_id
WHERE m.service_month = @month ORDER BY f.load_order;

-- name: MarkReconciled :exec
UPDATE import_months SET reconciled = true
WHERE service_month = @month AND file_id = ANY(@files::uuid[]) AND NOT reconciled;

-- name: InsertRecords :many
INSERT INTO side_records (side, status, kind, file_id, setl_id, line, service_month, refund, digest,
    mdtrt_id, psn_no, insutype, insured, treating, provider, clr_type, med_type, begndate, enddate, setl_time,
    medfee_fen, fund_pay_fen, hifp_fen, cvlserv_fen, hifes_fen, hifmi_fen, hifob_fen, maf_fen, oth_fen,
    acct_fen, cash_fen, orig_setl_id)
SELECT @side::text, @status::text, '', @file_id::uuid,
    unnest(@setl_ids::text[]), unnest(@lines::int8[]), unnest(@months::text[]), unnest(@refunds::bool[]),
    unnest(@digests::bytea[]), unnest(@mdtrt_ids::text[]), unnest(@psn_nos::text[]), unnest(@insutypes::text[]),
    unnest(@insured::text[]), unnest(@treating::text[]), unnest(@providers::text[]), unnest(@clr_types::text[]),
    unnest(@med_types::text[]), unnest(@begndates::date[]), unnest(@enddates::date[]), unnest(@setl_times::timestamptz[]),
    unnest(@medfee::int8[]), unnest(@fund_pay::int8[]), unnest(@hifp::int8[]), unnest(@cvlserv::int8[]),
    unnest(@hifes::int8[]), unnest(@hifmi::int8[]), unnest(@hifob::int8[]), unnest(@maf::int8[]), unnest(@oth::int8[]),
    unnest(@acct::int8[]), unnest(@cash::int8[]), unnest(@origs::text[])
ON CONFLICT (setl_id, side) DO NOTHING
RETURNING setl_id;

-- name: InsertRejected :many
INSERT INTO side_records (side, status, file_id, setl_id, line, kind, service_month, refund, digest)
SELECT @side::text, 'rejected', @file_id::uuid, unnest(@setl_ids::text[]), unnest(@lines::int8[]),
    unnest(@kinds::text[]), unnest(@months::text[]), unnest(@refunds::bool[]), unnest(@digests::bytea[])
ON CONFLICT (setl_id, side) DO NOTHING
RETURNING setl_id;

-- name: LockRecords :many
SELECT setl_id, status, kind, file_id, line, service_month, digest FROM side_records
WHERE side = @side AND setl_id = ANY(@setl_ids::text[]) ORDER BY setl_id FOR UPDATE;

-- name: DeleteRecords :exec
DELETE FROM side_records WHERE side = @side AND setl_id = ANY(@setl_ids::text[]);

-- name: MarkConflicting :exec
UPDATE side_records SET status = 'conflicting' WHERE side = @side AND setl_id = ANY(@setl_ids::text[]);

-- name: TakeOver :exec
UPDATE side_records SET file_id = @file_id::uuid, line = t.line
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id, unnest(@lines::int8[]) AS line) AS t
WHERE side_records.setl_id = t.setl_id AND side_records.side = @side::text;

-- name: SetAside :exec
INSERT INTO set_aside (side, file_id, line, cause, kind, setl_id, service_month, field, reason, content)
SELECT @side::text, unnest(@file_ids::uuid[]), unnest(@lines::int8[]), unnest(@causes::text[]), unnest(@kinds::text[]),
    unnest(@setl_ids::text[]), unnest(@months::text[]), unnest(@fields::text[]), unnest(@reasons::text[]),
    unnest(@contents::text[])
ON CONFLICT (file_id, line) DO NOTHING;

-- name: CountSetAside :many
SELECT cause, count(*) AS records FROM set_aside WHERE file_id = @file_id GROUP BY cause;

-- name: BadRows :many
SELECT line, field, kind, reason FROM set_aside
WHERE file_id = @file_id AND cause IN ('rejected', 'conflicting', 'conflicts_with_posted')
ORDER BY line LIMIT @row_limit::int8;

-- name: PostedAmong :many
SELECT setl_id FROM settlements WHERE setl_id = ANY(@setl_ids::text[]) AND state = 'posted' ORDER BY setl_id;

-- name: DropWaiting :exec
DELETE FROM settlements WHERE setl_id = ANY(@setl_ids::text[]) AND state = 'waiting';

-- name: SideTotals :many
SELECT side, insutype, clr_type, insured, treating, count(*) AS records,
    sum(medfee_fen)::int8 AS medfee_fen, sum(fund_pay_fen)::int8 AS fund_pay_fen, sum(acct_fen)::int8 AS acct_fen
FROM side_records WHERE service_month = @month AND status = 'valid'
GROUP BY side, insutype, clr_type, insured, treating
ORDER BY insutype, clr_type, insured, treating, side;

-- name: RecordsOfMonth :many
SELECT setl_id FROM side_records WHERE service_month = @month AND setl_id > @after
ORDER BY setl_id LIMIT @row_limit::int8;

-- name: SettledAmong :many
SELECT setl_id, state FROM settlements WHERE setl_id = ANY(@setl_ids::text[]);

-- name: ReadSides :many
SELECT setl_id, side, status, kind, file_id, line, service_month, refund, digest FROM side_records
WHERE setl_id = ANY(@setl_ids::text[]);

-- name: ReadContent :many
SELECT setl_id, side, file_id, line, mdtrt_id, psn_no, insutype, insured, treating, provider, clr_type, med_type,
    begndate, enddate, setl_time, medfee_fen, fund_pay_fen, hifp_fen, cvlserv_fen, hifes_fen, hifmi_fen,
    hifob_fen, maf_fen, oth_fen, acct_fen, cash_fen, refund, orig_setl_id
FROM side_records WHERE setl_id = ANY(@setl_ids::text[]) AND side = ANY(@sides::text[]) AND status <> 'rejected';

-- name: AcceptSettlements :many
INSERT INTO settlements (setl_id, state, waiting_for, kind, service_month, settled_on, insutype, insured, treating,
    provider, clr_type, med_type, benefit_year, hifp_fen, cvlserv_fen, hifes_fen, hifmi_fen, hifob_fen, maf_fen,
    oth_fen, acct_fen, refund, orig_setl_id)
SELECT c.setl_id, CASE WHEN c.refund THEN 'waiting' ELSE 'posted' END, '',
    CASE WHEN NOT c.insured = ANY(@cities::text[]) THEN 'cross-in'
        WHEN c.treating = ANY(@cities::text[]) THEN 'in-province' ELSE 'cross-out' END,
    c.service_month, (c.setl_time AT TIME ZONE 'Asia/Shanghai')::date, c.insutype, c.insured, c.treating,
    c.provider, c.clr_type, c.med_type, extract(year FROM c.enddate)::int8, c.hifp_fen, c.cvlserv_fen, c.hifes_fen,
    c.hifmi_fen, c.hifob_fen, c.maf_fen, c.oth_fen, c.acct_fen, c.refund, c.orig_setl_id
FROM side_records AS c
    JOIN side_records AS t ON t.setl_id = c.setl_id AND t.side = 'treating'
    JOIN side_records AS i ON i.setl_id = c.setl_id AND i.side = 'insured'
WHERE c.setl_id = ANY(@setl_ids::text[]) AND c.side = 'center' AND c.service_month = @month::text
    AND c.status = 'valid' AND t.status = 'valid' AND i.status = 'valid'
    AND t.digest = c.digest AND i.digest = c.digest
    AND NOT (c.file_id = ANY(@half::uuid[]) OR t.file_id = ANY(@half::uuid[]) OR i.file_id = ANY(@half::uuid[]))
ON CONFLICT (setl_id) DO NOTHING
RETURNING setl_id, settled_on, insutype, insured, treating, provider, med_type, benefit_year, hifp_fen, cvlserv_fen,
    hifes_fen, hifmi_fen, hifob_fen, maf_fen, oth_fen, acct_fen, refund, orig_setl_id;

-- name: NextWaiting :many
SELECT setl_id, settled_on, orig_setl_id FROM settlements
WHERE state = 'waiting' AND (settled_on > @settled_on::date OR (settled_on = @settled_on::date AND setl_id > @setl_id::text))
ORDER BY settled_on, setl_id LIMIT @row_limit::int8;

-- name: LockSettlements :many
SELECT * FROM settlements WHERE setl_id = ANY(@setl_ids::text[]) ORDER BY setl_id FOR UPDATE;

-- name: Refunded :many
SELECT orig_setl_id, sum(hifp_fen)::int8 AS hifp_fen, sum(cvlserv_fen)::int8 AS cvlserv_fen, sum(hifes_fen)::int8 AS hifes_fen,
    sum(hifmi_fen)::int8 AS hifmi_fen, sum(hifob_fen)::int8 AS hifob_fen, sum(maf_fen)::int8 AS maf_fen,
    sum(oth_fen)::int8 AS oth_fen, sum(acct_fen)::int8 AS acct_fen
FROM settlements WHERE orig_setl_id = ANY(@origs::text[]) AND refund AND state = 'posted'
GROUP BY orig_setl_id;

-- name: PostRefunds :exec
UPDATE settlements SET state = 'posted', waiting_for = '' WHERE setl_id = ANY(@setl_ids::text[]);

-- name: ExplainWaiting :exec
UPDATE settlements SET waiting_for = t.reason
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id, unnest(@reasons::text[]) AS reason) AS t
WHERE settlements.setl_id = t.setl_id AND settlements.waiting_for <> t.reason;

-- name: ListWaiting :many
SELECT setl_id, service_month, orig_setl_id, waiting_for FROM settlements
WHERE state = 'waiting' ORDER BY settled_on, setl_id LIMIT @row_limit::int8;

-- name: WriteExceptions :exec
INSERT INTO exceptions (setl_id, service_month, kind, refund, detail)
SELECT unnest(@setl_ids::text[]), @month::text, unnest(@kinds::text[]), unnest(@refunds::bool[]), unnest(@details::text[])
ON CONFLICT (setl_id) DO UPDATE SET service_month = excluded.service_month, kind = excluded.kind,
    refund = excluded.refund, detail = excluded.detail, resolved_at = NULL, resolved_by = ''
WHERE exceptions.detail <> excluded.detail OR exceptions.kind <> excluded.kind
    OR exceptions.service_month <> excluded.service_month OR exceptions.resolved_at IS NOT NULL;

-- name: OpenExceptionsOf :many
SELECT setl_id FROM exceptions WHERE service_month = @month AND resolved_at IS NULL;

-- name: ResolveExceptions :execrows
UPDATE exceptions SET resolved_at = now(), resolved_by = t.file
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id, unnest(@files::text[]) AS file) AS t
WHERE exceptions.setl_id = t.setl_id AND exceptions.resolved_at IS NULL;

-- name: ResolvePosted :execrows
UPDATE exceptions SET resolved_at = now()
WHERE exceptions.service_month = @month AND exceptions.resolved_at IS NULL
    AND EXISTS (SELECT 1 FROM settlements AS s WHERE s.setl_id = exceptions.setl_id);

-- name: ListExceptions :many
SELECT setl_id, kind, detail FROM exceptions
WHERE service_month = @month AND resolved_at IS NULL ORDER BY kind, setl_id LIMIT @row_limit::int8;

-- name: CountExceptions :many
SELECT kind, count(*) AS records FROM exceptions
WHERE service_month = @month AND resolved_at IS NULL GROUP BY kind ORDER BY kind;

-- name: CountSettlements :many
SELECT state, count(*) AS records FROM settlements WHERE service_month = @month GROUP BY state;

-- name: ReportExceptions :many
SELECT setl_id, kind, refund FROM exceptions
WHERE service_month = @month AND resolved_at IS NULL ORDER BY kind, setl_id;

-- name: ReportDuplicates :many
SELECT DISTINCT setl_id FROM set_aside WHERE service_month = @month AND cause = 'duplicate' ORDER BY setl_id;

-- name: ReportSettlements :many
SELECT kind, insutype, insured, treating, refund, count(*) AS records,
    sum(hifp_fen)::int8 AS hifp_fen, sum(cvlserv_fen)::int8 AS cvlserv_fen, sum(hifes_fen)::int8 AS hifes_fen,
    sum(hifmi_fen)::int8 AS hifmi_fen, sum(hifob_fen)::int8 AS hifob_fen, sum(maf_fen)::int8 AS maf_fen,
    sum(oth_fen)::int8 AS oth_fen, sum(acct_fen)::int8 AS acct_fen,
    count(*) FILTER (WHERE hifp_fen <> 0 OR acct_fen <> 0) AS hifp_acct_records,
    count(*) FILTER (WHERE hifp_fen <> 0) AS hifp_records, count(*) FILTER (WHERE acct_fen <> 0) AS acct_records,
    count(*) FILTER (WHERE cvlserv_fen <> 0) AS cvlserv_records, count(*) FILTER (WHERE hifes_fen <> 0) AS hifes_records,
    count(*) FILTER (WHERE hifmi_fen <> 0) AS hifmi_records, count(*) FILTER (WHERE hifob_fen <> 0) AS hifob_records,
    count(*) FILTER (WHERE maf_fen <> 0) AS maf_records, count(*) FILTER (WHERE oth_fen <> 0) AS oth_records
FROM settlements WHERE service_month = @month
GROUP BY kind, insutype, insured, treating, refund
ORDER BY insured, treating, insutype, refund;

-- name: TagRun :execrows
UPDATE settlements SET run_id = @run::text
WHERE setl_id IN (
    SELECT s.setl_id FROM settlements AS s
    WHERE s.run_id IS NULL AND s.kind = @kind AND s.service_month <= @month AND s.state = 'posted'
    LIMIT @row_limit::int8
);

-- name: SumRun :many
SELECT insured, treating, insutype, med_type, benefit_year,
    count(*) FILTER (WHERE hifp_fen <> 0) AS hifp_records, count(*) FILTER (WHERE acct_fen <> 0) AS acct_records,
    count(*) FILTER (WHERE cvlserv_fen <> 0) AS cvlserv_records, count(*) FILTER (WHERE hifes_fen <> 0) AS hifes_records,
    count(*) FILTER (WHERE hifmi_fen <> 0) AS hifmi_records, count(*) FILTER (WHERE hifob_fen <> 0) AS hifob_records,
    count(*) FILTER (WHERE maf_fen <> 0) AS maf_records, count(*) FILTER (WHERE oth_fen <> 0) AS oth_records,
    (service_month < @month::text)::bool AS carried,
    sum(hifp_fen)::int8 AS hifp_fen, sum(cvlserv_fen)::int8 AS cvlserv_fen, sum(hifes_fen)::int8 AS hifes_fen,
    sum(hifmi_fen)::int8 AS hifmi_fen, sum(hifob_fen)::int8 AS hifob_fen, sum(maf_fen)::int8 AS maf_fen,
    sum(oth_fen)::int8 AS oth_fen, sum(acct_fen)::int8 AS acct_fen
FROM settlements WHERE run_id = @run::text
GROUP BY insured, treating, insutype, med_type, benefit_year, (service_month < @month::text)
ORDER BY insured, treating, insutype, med_type, benefit_year, carried;

-- name: CarriedOver :many
SELECT setl_id, service_month FROM settlements
WHERE run_id = @run::text AND service_month < @month::text ORDER BY service_month, setl_id;

-- name: CountOpen :many
SELECT x.service_month, x.kind, count(*) AS records FROM (
    SELECT service_month, kind FROM exceptions WHERE resolved_at IS NULL
    UNION ALL
    SELECT service_month, 'refund_waiting' FROM settlements WHERE state = 'waiting'
) AS x GROUP BY x.service_month, x.kind ORDER BY x.service_month, x.kind;
