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

-- name: ApartAmong :many
SELECT setl_id, state FROM settlements_apart WHERE setl_id = ANY(@setl_ids::text[]) ORDER BY setl_id;

-- name: DropWaiting :exec
DELETE FROM settlements_apart WHERE setl_id = ANY(@setl_ids::text[]) AND state = 'waiting';

-- name: ReadSides :many
SELECT r.setl_id, r.side, r.status, r.kind, r.file_id, r.line, r.service_month, r.refund, r.digest
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id) AS w
    CROSS JOIN (SELECT unnest(ARRAY['center', 'treating', 'insured']) AS side) AS v
    JOIN side_records AS r ON r.setl_id = w.setl_id AND r.side = v.side;

-- name: ReadContent :many
SELECT r.setl_id, r.side, r.file_id, r.line, r.mdtrt_id, r.psn_no, r.insutype, r.insured, r.treating, r.provider,
    r.clr_type, r.med_type, r.begndate, r.enddate, r.setl_time, r.medfee_fen, r.fund_pay_fen, r.hifp_fen,
    r.cvlserv_fen, r.hifes_fen, r.hifmi_fen, r.hifob_fen, r.maf_fen, r.oth_fen, r.acct_fen, r.cash_fen,
    r.refund, r.orig_setl_id
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id) AS w
    CROSS JOIN (SELECT unnest(@sides::text[]) AS side) AS v
    JOIN side_records AS r ON r.setl_id = w.setl_id AND r.side = v.side
WHERE r.status <> 'rejected';

-- One row for each settlement of the month that lies in the range, with what
-- the centre says where all three sides say the same. A settlement that the
-- centre lacks comes once for each side that has it.
-- name: RangeOfMonth :many
SELECT coalesce(c.setl_id, t.setl_id, i.setl_id)::text AS setl_id,
    coalesce(c.usable AND t.usable AND i.usable AND c.digest = t.digest AND c.digest = i.digest, false)::bool AS equal,
    c.setl_time, c.begndate, c.enddate, coalesce(c.insutype, '')::text AS insutype, coalesce(c.insured, '')::text AS insured,
    coalesce(c.treating, '')::text AS treating, coalesce(c.provider, '')::text AS provider,
    coalesce(c.clr_type, '')::text AS clr_type, coalesce(c.med_type, '')::text AS med_type,
    coalesce(c.orig_setl_id, '')::text AS orig_setl_id, coalesce(c.medfee_fen, 0)::int8 AS medfee_fen,
    coalesce(c.fund_pay_fen, 0)::int8 AS fund_pay_fen, coalesce(c.hifp_fen, 0)::int8 AS hifp_fen,
    coalesce(c.cvlserv_fen, 0)::int8 AS cvlserv_fen, coalesce(c.hifes_fen, 0)::int8 AS hifes_fen,
    coalesce(c.hifmi_fen, 0)::int8 AS hifmi_fen, coalesce(c.hifob_fen, 0)::int8 AS hifob_fen,
    coalesce(c.maf_fen, 0)::int8 AS maf_fen, coalesce(c.oth_fen, 0)::int8 AS oth_fen,
    coalesce(c.acct_fen, 0)::int8 AS acct_fen, coalesce(c.refund, false)::bool AS refund
FROM (
    SELECT s.setl_id, s.digest, s.setl_time, s.begndate, s.enddate, s.insutype, s.insured, s.treating, s.provider, s.clr_type, s.med_type, s.orig_setl_id,
        s.medfee_fen, s.fund_pay_fen, s.hifp_fen, s.cvlserv_fen, s.hifes_fen, s.hifmi_fen, s.hifob_fen, s.maf_fen, s.oth_fen, s.acct_fen, s.refund,
        s.status = 'valid' AND NOT s.file_id = ANY(@half::uuid[]) AS usable
    FROM side_records AS s
    WHERE s.service_month = @month::text AND s.setl_id >= @first_id::text AND (@end_id::text = '' OR s.setl_id < @end_id::text)
        AND s.side = 'center'
) AS c
FULL JOIN (
    SELECT s.setl_id, s.digest, s.status = 'valid' AND NOT s.file_id = ANY(@half::uuid[]) AS usable
    FROM side_records AS s
    WHERE s.service_month = @month::text AND s.setl_id >= @first_id::text AND (@end_id::text = '' OR s.setl_id < @end_id::text)
        AND s.side = 'treating'
) AS t ON t.setl_id = c.setl_id
FULL JOIN (
    SELECT s.setl_id, s.digest, s.status = 'valid' AND NOT s.file_id = ANY(@half::uuid[]) AS usable
    FROM side_records AS s
    WHERE s.service_month = @month::text AND s.setl_id >= @first_id::text AND (@end_id::text = '' OR s.setl_id < @end_id::text)
        AND s.side = 'insured'
) AS i ON i.setl_id = c.setl_id
ORDER BY 1;

-- name: SampleOfMonth :many
SELECT setl_id FROM side_records WHERE service_month = @month::text AND line % @each::int8 = @rest::int8;

-- name: InsertApart :many
INSERT INTO settlements_apart (setl_id, state, waiting_for, service_month, settled_on, insutype, insured, treating,
    provider, med_type, benefit_year, hifp_fen, cvlserv_fen, hifes_fen, hifmi_fen, hifob_fen, maf_fen,
    oth_fen, acct_fen, refund, orig_setl_id)
SELECT unnest(@setl_ids::text[]), unnest(@states::text[]), '', @month::text, unnest(@dates::date[]), unnest(@insutypes::text[]),
    unnest(@insured::text[]), unnest(@treating::text[]), unnest(@providers::text[]), unnest(@med_types::text[]),
    unnest(@benefit_years::int8[]), unnest(@hifp::int8[]), unnest(@cvlserv::int8[]), unnest(@hifes::int8[]),
    unnest(@hifmi::int8[]), unnest(@hifob::int8[]), unnest(@maf::int8[]), unnest(@oth::int8[]), unnest(@acct::int8[]),
    unnest(@refunds::bool[]), unnest(@origs::text[])
ON CONFLICT (setl_id) DO NOTHING
RETURNING setl_id;

-- name: InsertBlock :exec
INSERT INTO accepted_blocks (id, service_month, kind, records, setl_ids, sums, negative)
VALUES (@id, @month, @kind, @records, @setl_ids::text[], @sums::jsonb, @negative);

-- name: BlocksOfMonth :many
SELECT kind, sums, negative FROM accepted_blocks WHERE service_month = @month;

-- name: BlocksOfRun :many
SELECT service_month, sums FROM accepted_blocks WHERE run_id = @run::text;

-- name: WaitingBlocks :many
SELECT service_month, sums FROM accepted_blocks
WHERE run_id IS NULL AND kind = @kind AND service_month <= @month::text;

-- name: NextWaiting :many
SELECT setl_id, settled_on, orig_setl_id FROM settlements_apart
WHERE state = 'waiting' AND (settled_on > @settled_on::date OR (settled_on = @settled_on::date AND setl_id > @setl_id::text))
ORDER BY settled_on, setl_id LIMIT @row_limit::int8;

-- name: LockRefunds :many
SELECT * FROM settlements_apart
WHERE setl_id = ANY(@setl_ids::text[]) OR orig_setl_id = ANY(@origs::text[])
ORDER BY setl_id FOR UPDATE;

-- name: PostRefunds :exec
UPDATE settlements_apart SET state = 'posted', waiting_for = '' WHERE setl_id = ANY(@setl_ids::text[]);

-- name: ExplainWaiting :exec
UPDATE settlements_apart SET waiting_for = t.reason
FROM (SELECT unnest(@setl_ids::text[]) AS setl_id, unnest(@reasons::text[]) AS reason) AS t
WHERE settlements_apart.setl_id = t.setl_id AND settlements_apart.waiting_for <> t.reason;

-- name: ListWaiting :many
SELECT setl_id, service_month, orig_setl_id, waiting_for FROM settlements_apart
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

-- name: ResolveSettled :execrows
UPDATE exceptions SET resolved_at = now()
WHERE setl_id = ANY(@setl_ids::text[]) AND resolved_at IS NULL;

-- name: ListExceptions :many
SELECT setl_id, kind, detail FROM exceptions
WHERE service_month = @month AND resolved_at IS NULL ORDER BY kind, setl_id LIMIT @row_limit::int8;

-- name: CountExceptions :many
SELECT kind, count(*) AS records FROM exceptions
WHERE service_month = @month AND resolved_at IS NULL GROUP BY kind ORDER BY kind;

-- name: CountAccepted :one
SELECT coalesce(sum(records), 0)::int8 AS posted,
    (SELECT count(*) FROM settlements_apart AS a WHERE a.service_month = @month AND a.state = 'waiting') AS waiting
FROM accepted_blocks WHERE accepted_blocks.service_month = @month AND NOT accepted_blocks.negative;

-- name: ReportExceptions :many
SELECT e.setl_id, e.kind, e.refund FROM exceptions AS e
WHERE e.service_month = @month AND e.resolved_at IS NULL
    AND (@all_regions::bool OR EXISTS (
        SELECT 1 FROM side_records AS r WHERE r.setl_id = e.setl_id
            AND (r.insured = ANY(@regions::text[]) OR r.treating = ANY(@regions::text[]))
    ))
ORDER BY e.kind, e.setl_id;

-- name: ReportDuplicates :many
SELECT DISTINCT d.setl_id FROM set_aside AS d
WHERE d.service_month = @month AND d.cause = 'duplicate'
    AND (@all_regions::bool OR EXISTS (
        SELECT 1 FROM side_records AS r WHERE r.setl_id = d.setl_id
            AND (r.insured = ANY(@regions::text[]) OR r.treating = ANY(@regions::text[]))
    ))
ORDER BY d.setl_id;

-- name: WaitingOfMonth :many
SELECT * FROM settlements_apart WHERE service_month = @month AND state = 'waiting' ORDER BY setl_id;

-- name: TagRun :many
UPDATE accepted_blocks SET run_id = @run::text
WHERE run_id IS NULL AND kind = @kind AND service_month <= @month
RETURNING records;

-- name: CarriedOver :many
SELECT service_month, setl_ids FROM accepted_blocks
WHERE run_id = @run::text AND service_month < @month::text ORDER BY service_month, id;

-- name: CountOpen :many
SELECT x.service_month, x.kind, count(*) AS records FROM (
    SELECT service_month, kind FROM exceptions WHERE resolved_at IS NULL
    UNION ALL
    SELECT service_month, 'refund_waiting' FROM settlements_apart WHERE state = 'waiting'
) AS x GROUP BY x.service_month, x.kind ORDER BY x.service_month, x.kind;

-- name: InsertUpload :exec
INSERT INTO uploads (batch_id, side, file_name, size, sha256, strict, subject, state)
VALUES (@batch_id, @side, @file_name, @size, @sha256, @strict, @subject, 'receiving')
ON CONFLICT (batch_id) DO NOTHING;

-- name: GetUpload :many
SELECT * FROM uploads WHERE batch_id = @batch_id;

-- name: LockUpload :many
SELECT * FROM uploads WHERE batch_id = @batch_id FOR UPDATE;

-- name: InsertChunk :exec
INSERT INTO upload_chunks (batch_id, first_byte, content) VALUES (@batch_id, @first_byte, @content);

-- name: ReceiveUpload :exec
UPDATE uploads SET received = @received, state = @state, touched_at = now() WHERE batch_id = @batch_id;

-- name: ReadChunks :many
SELECT first_byte, content FROM upload_chunks
WHERE batch_id = @batch_id AND first_byte >= @first_byte ORDER BY first_byte LIMIT @chunks;

-- name: DropChunks :exec
DELETE FROM upload_chunks WHERE batch_id = @batch_id;

-- name: ClaimUpload :execrows
UPDATE uploads SET claimed_until = now() + INTERVAL '60 seconds'
WHERE batch_id = @batch_id AND state = 'loading' AND claimed_until <= now();

-- name: RenewUpload :exec
UPDATE uploads SET claimed_until = now() + INTERVAL '60 seconds' WHERE batch_id = @batch_id AND state = 'loading';

-- name: ReleaseUpload :exec
UPDATE uploads SET claimed_until = now() WHERE batch_id = @batch_id AND state = 'loading';

-- name: EndUpload :execrows
UPDATE uploads SET state = @state, ended_at = now(), file_id = NULLIF(@file_id::text, '')::uuid, already_loaded = @already_loaded,
    added = @added, replaced = @replaced, error = NULLIF(@error::text, '')::jsonb
WHERE batch_id = @batch_id AND state = 'loading';

-- name: UploadsToLoad :many
SELECT batch_id FROM uploads WHERE ended_at IS NULL AND state = 'loading' AND claimed_until <= now()
ORDER BY touched_at, batch_id LIMIT @row_limit::int8;

-- name: IdleUploads :many
SELECT batch_id FROM uploads WHERE ended_at IS NULL AND state = 'receiving'
    AND touched_at < now() - (@seconds::int8) * INTERVAL '1 second'
ORDER BY touched_at, batch_id LIMIT @row_limit::int8 FOR UPDATE;

-- name: DropUpload :exec
DELETE FROM uploads WHERE batch_id = @batch_id;

-- name: RowErrors :many
SELECT line, field, kind, reason FROM set_aside
WHERE file_id = @file_id AND line > @after AND (@kind::text = '' OR kind = @kind)
ORDER BY line LIMIT @page;

-- Exceptions of reconciliation and refunds that wait, by month and settlement.
-- name: PageOfExceptions :many
SELECT x.setl_id, x.service_month, x.kind, x.detail, x.refund, x.found_at, x.resolved_at, x.resolved_by FROM (
    SELECT e.setl_id, e.service_month, e.kind, e.detail, e.refund, e.found_at, e.resolved_at, e.resolved_by
    FROM exceptions AS e WHERE (e.resolved_at IS NOT NULL) = @resolved::bool
    UNION ALL
    SELECT a.setl_id, a.service_month, 'refund_waiting', a.waiting_for, true, '0001-01-01 00:00:00+00'::timestamptz, NULL::timestamptz, ''
    FROM settlements_apart AS a WHERE a.state = 'waiting' AND NOT @resolved::bool
) AS x
WHERE (@month::text = '' OR x.service_month = @month) AND (@kind::text = '' OR x.kind = @kind)
    AND (x.service_month, x.setl_id, x.kind) > (@after_month::text, @after_id::text, @after_kind::text)
    AND (@all_regions::bool OR EXISTS (
        SELECT 1 FROM side_records AS r WHERE r.setl_id = x.setl_id
            AND (r.insured = ANY(@regions::text[]) OR r.treating = ANY(@regions::text[]))
    ))
ORDER BY x.service_month, x.setl_id, x.kind LIMIT @page;

-- Settlements of which a file had a row twice, unless a row of theirs is rejected.
-- name: PageOfDuplicates :many
SELECT d.setl_id, d.service_month, min(f.name || ':' || d.line::text || ': ' || d.reason)::text AS detail
FROM set_aside AS d JOIN import_files AS f ON f.id = d.file_id
WHERE d.cause = 'duplicate' AND (@month::text = '' OR d.service_month = @month)
    AND (d.service_month, d.setl_id) > (@after_month::text, @after_id::text)
    AND (@all_regions::bool OR EXISTS (
        SELECT 1 FROM side_records AS r WHERE r.setl_id = d.setl_id
            AND (r.insured = ANY(@regions::text[]) OR r.treating = ANY(@regions::text[]))
    ))
    AND NOT EXISTS (
        SELECT 1 FROM exceptions AS e WHERE e.setl_id = d.setl_id AND e.resolved_at IS NULL AND NOT e.kind = ANY(@reconciled::text[])
    )
GROUP BY d.setl_id, d.service_month
ORDER BY d.service_month, d.setl_id LIMIT @page;

-- name: GetException :many
SELECT * FROM exceptions WHERE setl_id = @setl_id;

-- name: GetApart :many
SELECT * FROM settlements_apart WHERE setl_id = @setl_id;

-- name: RefundsOf :many
SELECT * FROM settlements_apart WHERE orig_setl_id = @setl_id AND refund ORDER BY settled_on, setl_id;

-- name: RunOfSettlement :many
SELECT coalesce(run_id, '')::text AS run FROM accepted_blocks
WHERE service_month = @month AND @setl_id::text = ANY(setl_ids) LIMIT 1;

-- name: ReasonOf :many
SELECT kind, reason FROM set_aside WHERE file_id = @file_id AND line = @line;

-- name: OpenExceptionsAmong :many
SELECT setl_id, kind FROM exceptions WHERE setl_id = ANY(@setl_ids::text[]) AND resolved_at IS NULL;

-- A settlement is never settled before the benefit year begins.
-- name: BlocksOfBenefitYear :many
SELECT service_month, sums FROM accepted_blocks WHERE service_month >= @first_month;

-- Settlements of which any side says that they are of the time.
-- name: SettlementsBetween :many
SELECT DISTINCT setl_id FROM side_records
WHERE service_month = @month AND setl_time >= @from_time::timestamptz AND setl_time < @end_time::timestamptz ORDER BY setl_id;

-- Settlements of months up to the given one that no run has taken in: accepted,
-- with an open exception, or refunds that wait.
-- name: PageOfUncleared :many
SELECT x.service_month, x.setl_id::text AS setl_id, x.kind FROM (
    SELECT b.service_month, unnest(b.setl_ids) AS setl_id, 'accepted' AS kind
    FROM accepted_blocks AS b WHERE b.run_id IS NULL AND NOT b.negative AND b.service_month <= @last_month::text
    UNION ALL
    SELECT e.service_month, e.setl_id, e.kind FROM exceptions AS e WHERE e.resolved_at IS NULL AND e.service_month <= @last_month::text
    UNION ALL
    SELECT a.service_month, a.setl_id, 'refund_waiting' FROM settlements_apart AS a WHERE a.state = 'waiting' AND a.service_month <= @last_month::text
) AS x
WHERE (x.service_month, x.setl_id, x.kind) > (@after_month::text, @after_id::text, @after_kind::text)
    AND (@all_regions::bool OR EXISTS (
        SELECT 1 FROM side_records AS r WHERE r.setl_id = x.setl_id
            AND (r.insured = ANY(@regions::text[]) OR r.treating = ANY(@regions::text[]))
    ))
ORDER BY x.service_month, x.setl_id, x.kind LIMIT @page;

-- name: ReductionsOf :many
SELECT * FROM settlement_reductions WHERE setl_id = ANY(@setl_ids::text[]) ORDER BY lowered_on, id;

-- name: RefundsAmong :many
SELECT * FROM settlements_apart WHERE orig_setl_id = ANY(@setl_ids::text[]) AND refund AND state = 'posted' ORDER BY setl_id;

-- name: InsertReduction :exec
INSERT INTO settlement_reductions (id, setl_id, kind, lowered_on, parts_fen)
VALUES (@id, @setl_id, @kind, @lowered_on::date, @parts_fen::int8[]);

-- name: ReleaseReduction :execrows
UPDATE settlement_reductions SET released = true WHERE id = @id AND NOT released;

-- name: NegativesOfRun :many
SELECT setl_ids FROM accepted_blocks WHERE run_id = @run::text AND negative;

-- name: RunsOfNegatives :many
SELECT coalesce(run_id, '')::text AS run, setl_ids FROM accepted_blocks WHERE negative AND setl_ids && @records::text[];

-- name: BlocksAmong :many
SELECT coalesce(run_id, '')::text AS run, setl_ids FROM accepted_blocks
WHERE service_month = ANY(@months::text[]) AND NOT negative AND setl_ids && @setl_ids::text[];

-- name: InsertWithdrawals :many
INSERT INTO withdrawals (setl_id, side, file_id, line, withdrawn_on, reason, document)
SELECT unnest(@setl_ids::text[]), @side::text, @file_id::uuid, unnest(@lines::int8[]), unnest(@dates::date[]),
    unnest(@reasons::text[]), unnest(@documents::text[])
ON CONFLICT (setl_id, side) DO NOTHING
RETURNING setl_id;

-- name: WithdrawalsOf :many
SELECT w.setl_id, w.side, w.line, w.withdrawn_on, w.reason, w.document, f.name, f.id AS file_id
FROM withdrawals AS w JOIN import_files AS f ON f.id = w.file_id
WHERE w.setl_id = ANY(@setl_ids::text[]) ORDER BY w.setl_id, w.side;

-- name: DropWithdrawals :exec
DELETE FROM withdrawals WHERE side = @side AND setl_id = ANY(@setl_ids::text[]);

-- name: MarkWithdrawn :exec
UPDATE side_records SET status = 'withdrawn' WHERE side = @side AND setl_id = ANY(@setl_ids::text[]);

-- name: WriteException :exec
INSERT INTO exceptions (setl_id, service_month, kind, refund, detail) VALUES (@setl_id, @month, @kind, @refund, @detail)
ON CONFLICT (setl_id) DO UPDATE SET service_month = excluded.service_month, kind = excluded.kind,
    refund = excluded.refund, detail = excluded.detail, resolved_at = NULL, resolved_by = '';

-- Exceptions that end when the settlement is posted: not those of a withdrawal
-- that other sides have yet to make.
-- name: OvertakenExceptionsOf :many
SELECT setl_id FROM exceptions WHERE service_month = @month AND resolved_at IS NULL AND kind <> 'withdrawal_pending';

-- name: InsertNegative :exec
INSERT INTO settlement_negatives (id, setl_id, parts_fen) VALUES (@id, @setl_id, @parts_fen::int8[]);

-- name: NegativesAmong :many
SELECT setl_id, parts_fen FROM settlement_negatives WHERE setl_id = ANY(@setl_ids::text[]);

-- A later file of a side brings back what the side had withdrawn, unless it has
-- been taken back by then.
-- name: RevokeWithdrawals :many
DELETE FROM withdrawals WHERE withdrawals.side = @side AND withdrawals.setl_id = ANY(@setl_ids::text[])
    AND withdrawals.file_id IN (SELECT f.id FROM import_files AS f WHERE f.load_order < @load_order)
    AND NOT EXISTS (SELECT 1 FROM settlement_reductions AS r WHERE r.setl_id = withdrawals.setl_id AND r.kind = 'withdrawal')
RETURNING withdrawals.setl_id;
