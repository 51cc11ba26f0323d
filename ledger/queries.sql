-- name: FindEntries :many
SELECT id, digest FROM entries WHERE id = ANY(@ids::uuid[]);

-- name: ReadEntries :many
SELECT id, key, batch_id, business_date, period, kind, summary, source, attachments,
    preparer, reviewer, corrects, legs, digest, posted_at
FROM entries WHERE id = ANY(@ids::uuid[]);

-- name: ReadLegs :many
SELECT id, business_date, period, legs FROM entries WHERE id = ANY(@ids::uuid[]);

-- A batch with its entries, its place in the inbox, the floors that it moves and
-- the calls by which its entries were given.
-- The entries stand in the batch in the order of the arrays. Where one of the
-- months does not take postings, nothing is written at all. CockroachDB wants a
-- WITH clause to return something.
-- name: InsertBatch :execrows
WITH taken AS (
    SELECT NOT EXISTS (
        SELECT 1 FROM (SELECT unnest(@open_books::text[]) AS book, unnest(@open_months::text[]) AS month) AS w
        WHERE NOT EXISTS (SELECT 1 FROM periods AS p WHERE p.book = w.book AND p.month <= w.month)
            OR EXISTS (SELECT 1 FROM periods AS p WHERE p.book = w.book AND p.month = w.month
                AND p.state NOT IN ('open', 'reopened'))
    ) AS open
), new_entries AS (
    INSERT INTO entries (id, key, batch_id, business_date, period, kind, summary, source,
        attachments, preparer, reviewer, corrects, legs, digest)
    SELECT t.id, t.key, @batch_id::uuid, t.business_date, t.period, t.kind, t.summary, t.source,
        t.attachments, t.preparer, t.reviewer, NULLIF(t.corrects, '')::uuid, t.legs::jsonb, t.digest
    FROM (
        SELECT unnest(@ids::uuid[]) AS id, unnest(@keys::text[]) AS key,
            unnest(@dates::date[]) AS business_date, unnest(@periods::text[]) AS period,
            unnest(@kinds::text[]) AS kind, unnest(@summaries::text[]) AS summary,
            unnest(@sources::text[]) AS source, unnest(@attachments::int8[]) AS attachments,
            unnest(@preparers::text[]) AS preparer, unnest(@reviewers::text[]) AS reviewer,
            unnest(@corrects::text[]) AS corrects, unnest(@legs::text[]) AS legs,
            unnest(@digests::bytea[]) AS digest
    ) AS t CROSS JOIN taken WHERE taken.open
    RETURNING 1
), new_batch AS (
    INSERT INTO batches (id, entries, digests, vouchers, floors)
    SELECT @batch_id::uuid, @ids::uuid[], @batch_digests::bytea, @vouchers::jsonb, @floors::jsonb
    FROM taken WHERE taken.open
    RETURNING 1
), new_balances AS (
    INSERT INTO floors (account, balance_fen, reserved_fen, version)
    SELECT f.account, f.balance_fen, f.reserved_fen, f.version
    FROM (
        SELECT unnest(@accounts::text[]) AS account, unnest(@balances::int8[]) AS balance_fen,
            unnest(@reserved::int8[]) AS reserved_fen, unnest(@versions::int8[]) AS version
    ) AS f CROSS JOIN taken WHERE taken.open
    ON CONFLICT (account) DO UPDATE SET balance_fen = excluded.balance_fen,
        reserved_fen = excluded.reserved_fen, version = excluded.version
    RETURNING 1
), new_calls AS (
    INSERT INTO calls (id, request_id, subject, role, method, action, key, regions, request_hash, outcome)
    SELECT c.id, c.request_id, c.subject, c.role, c.method, c.action, c.key, string_to_array(c.regions, ','), c.request_hash, 'succeeded'
    FROM (
        SELECT unnest(@call_ids::uuid[]) AS id, unnest(@request_ids::text[]) AS request_id,
            unnest(@subjects::text[]) AS subject, unnest(@roles::text[]) AS role,
            unnest(@methods::text[]) AS method, unnest(@actions::text[]) AS action,
            unnest(@call_keys::text[]) AS key, unnest(@regions::text[]) AS regions,
            unnest(@request_hashes::bytea[]) AS request_hash
    ) AS c CROSS JOIN taken WHERE taken.open
    RETURNING 1
)
INSERT INTO inbox (batch_id) SELECT @batch_id::uuid FROM taken WHERE taken.open;

-- name: LockFloors :many
SELECT account, balance_fen, reserved_fen, version FROM floors
WHERE account = ANY(@accounts::text[]) ORDER BY account FOR UPDATE;

-- name: WriteFloors :exec
INSERT INTO floors (account, balance_fen, reserved_fen, version)
SELECT unnest(@accounts::text[]), unnest(@balances::int8[]), unnest(@reserved::int8[]), unnest(@versions::int8[])
ON CONFLICT (account) DO UPDATE SET balance_fen = excluded.balance_fen,
    reserved_fen = excluded.reserved_fen, version = excluded.version;

-- name: AllFloors :many
SELECT account, balance_fen, reserved_fen, version FROM floors ORDER BY account;

-- name: ReadPeriods :many
SELECT book, month, state FROM periods WHERE book = ANY(@books::text[]) ORDER BY book, month;

-- name: LockPeriods :many
SELECT book, month, state FROM periods WHERE book = ANY(@books::text[]) ORDER BY book, month FOR UPDATE;

-- name: SetPeriods :exec
INSERT INTO periods (book, month, state)
SELECT unnest(@books::text[]), @month::text, @state::text
ON CONFLICT (book, month) DO UPDATE SET state = excluded.state;

-- name: InsertPeriodEvents :many
INSERT INTO period_events (book, month, number, state, person, reason, position)
SELECT unnest(@books::text[]), @month::text, @number::int8, @state::text, @person::text, @reason::text, @position::int8
RETURNING changed_at;

-- name: PeriodEvents :many
SELECT book, month, number, state, person, reason, position, changed_at FROM period_events
WHERE (@book::text = '' OR book = @book) AND (@month::text = '' OR month = @month)
ORDER BY book, month, number;

-- name: AllPeriodStates :many
SELECT book, month, state FROM periods ORDER BY book, month;

-- name: LockHead :one
SELECT position FROM heads WHERE name = @name FOR UPDATE;

-- name: ReadHead :one
SELECT position FROM heads WHERE name = @name;

-- name: MoveHeads :exec
UPDATE heads SET position = @position WHERE name = ANY(@names::text[]);

-- name: MoveHead :exec
UPDATE heads SET position = @position WHERE name = @name;

-- name: LimitIdle :exec
SET LOCAL idle_in_transaction_session_timeout = '5s';

-- name: LookAhead :one
SELECT EXISTS (SELECT 1 FROM inbox)::bool AS waiting,
    (SELECT s.position FROM heads AS s WHERE s.name = 'sealed')::int8 AS sealed,
    (SELECT min(p.position) FROM heads AS p WHERE p.name IN ('projected', 'shifted'))::int8 AS projected;

-- name: ReadWaiting :one
SELECT count(*)::int8 AS batches, coalesce(sum(array_length(b.entries, 1)), 0)::int8 AS entries,
    coalesce(min(b.posted_at), now())::timestamptz AS oldest
FROM inbox AS i JOIN batches AS b ON b.id = i.batch_id;

-- name: TakeLease :many
UPDATE leases SET leader = @leader, term = term + 1, taken_at = now(),
    expires_at = now() + (@milliseconds::int8) * INTERVAL '1 millisecond'
WHERE name = @name AND expires_at <= now()
RETURNING term;

-- name: RenewLease :execrows
UPDATE leases SET expires_at = now() + (@milliseconds::int8) * INTERVAL '1 millisecond'
WHERE name = @name AND leader = @leader AND term = @term AND expires_at > now();

-- name: ReleaseLease :execrows
UPDATE leases SET expires_at = now()
WHERE name = @name AND leader = @leader AND term = @term AND expires_at > now();

-- name: ReadLease :one
SELECT leader, term, taken_at, expires_at, now()::timestamptz AS read_at FROM leases WHERE name = @name;

-- name: ReadInbox :many
SELECT b.id, b.vouchers, b.floors, b.posted_at, b.entries, b.digests
FROM inbox AS i JOIN batches AS b ON b.id = i.batch_id
ORDER BY b.posted_at, b.id;

-- name: InsertSealed :exec
INSERT INTO sealed (first_position, batch_id, entries, posted_until)
SELECT unnest(@positions::int8[]), unnest(@batches::uuid[]), unnest(@counts::int8[]), unnest(@posted_until::timestamptz[]);

-- name: SealedAt :many
SELECT first_position, entries, posted_until FROM sealed
WHERE first_position <= @position ORDER BY first_position DESC LIMIT 1;

-- name: ClearInbox :exec
DELETE FROM inbox WHERE batch_id = ANY(@batches::uuid[]);

-- name: LastVouchers :many
SELECT book, period, max(number)::int8 AS number FROM vouchers
WHERE book = ANY(@books::text[]) AND period = ANY(@periods::text[])
GROUP BY book, period;

-- name: InsertVouchers :exec
INSERT INTO vouchers (book, period, number, entry_id, position)
SELECT unnest(@books::text[]), unnest(@periods::text[]), unnest(@numbers::int8[]),
    unnest(@entries::uuid[]), unnest(@positions::int8[]);

-- name: VouchersOf :many
SELECT entry_id, book, period, number FROM vouchers WHERE entry_id = ANY(@entries::uuid[]) ORDER BY book;

-- name: ReadSealed :many
SELECT s.first_position, s.batch_id, s.entries AS entry_count, b.entries, b.digests,
    s.posted_until, coalesce(b.posted_at, s.posted_until)::timestamptz AS posted_at
FROM sealed AS s LEFT JOIN batches AS b ON b.id = s.batch_id
WHERE s.first_position > @after AND s.first_position <= @until
ORDER BY s.first_position LIMIT @batches;

-- name: ReadBalances :many
SELECT account, debit_fen, credit_fen, line_count, position FROM balances WHERE account = ANY(@accounts::text[]);

-- name: WriteBalances :exec
INSERT INTO balances (account, book, fund, subject, counterparty, debit_fen, credit_fen, line_count, position)
SELECT unnest(@accounts::text[]), unnest(@books::text[]), unnest(@funds::text[]), unnest(@subjects::text[]),
    unnest(@counterparties::text[]), unnest(@debits::int8[]), unnest(@credits::int8[]),
    unnest(@counts::int8[]), unnest(@positions::int8[])
ON CONFLICT (account) DO UPDATE SET debit_fen = excluded.debit_fen, credit_fen = excluded.credit_fen,
    line_count = excluded.line_count, position = excluded.position;

-- name: WriteLines :exec
INSERT INTO account_lines (account, first_position, last_position, opening_debit_fen, opening_credit_fen, lines)
SELECT t.account, t.first_position, t.last_position, t.debit, t.credit, t.lines::jsonb
FROM (
    SELECT unnest(@accounts::text[]) AS account, unnest(@firsts::int8[]) AS first_position,
        unnest(@lasts::int8[]) AS last_position, unnest(@debits::int8[]) AS debit,
        unnest(@credits::int8[]) AS credit, unnest(@lines::text[]) AS lines
) AS t;

-- name: ReadMonths :many
SELECT account, month, debit_fen, credit_fen, days FROM account_months
WHERE account = ANY(@accounts::text[]) AND month = ANY(@months::text[]);

-- name: WriteMonths :exec
INSERT INTO account_months (account, month, debit_fen, credit_fen, days)
SELECT t.account, t.month, t.debit, t.credit, t.days::jsonb
FROM (
    SELECT unnest(@accounts::text[]) AS account, unnest(@months::text[]) AS month,
        unnest(@debits::int8[]) AS debit, unnest(@credits::int8[]) AS credit,
        unnest(@days::text[]) AS days
) AS t
ON CONFLICT (account, month) DO UPDATE SET debit_fen = excluded.debit_fen,
    credit_fen = excluded.credit_fen, days = excluded.days;

-- name: BalanceNow :one
SELECT h.position, coalesce(b.debit_fen, 0)::int8 AS debit_fen, coalesce(b.credit_fen, 0)::int8 AS credit_fen,
    coalesce(f.reserved_fen, 0)::int8 AS reserved_fen
FROM heads AS h LEFT JOIN balances AS b ON b.account = @account::text LEFT JOIN floors AS f ON f.account = @account::text
WHERE h.name = 'projected';

-- name: BalanceAtPosition :one
SELECT h.position, coalesce(l.opening_debit_fen, 0)::int8 AS debit_fen, coalesce(l.opening_credit_fen, 0)::int8 AS credit_fen,
    coalesce(l.lines, '[]')::jsonb AS lines
FROM heads AS h LEFT JOIN LATERAL (
    SELECT a.opening_debit_fen, a.opening_credit_fen, a.lines FROM account_lines AS a
    WHERE a.account = @account::text AND a.first_position <= @position::int8
    ORDER BY a.first_position DESC LIMIT 1
) AS l ON true
WHERE h.name = 'projected';

-- name: BalanceAtDate :many
SELECT h.position, coalesce(m.month, '')::text AS month, coalesce(m.debit_fen, 0)::int8 AS debit_fen,
    coalesce(m.credit_fen, 0)::int8 AS credit_fen, coalesce(m.days, '{}')::jsonb AS days
FROM heads AS h LEFT JOIN account_months AS m ON m.account = @account::text AND m.month <= @month::text
WHERE h.name = 'projected';

-- name: ListBalances :many
SELECT b.account, b.debit_fen, b.credit_fen, coalesce(f.reserved_fen, 0)::int8 AS reserved_fen
FROM balances AS b LEFT JOIN floors AS f ON f.account = b.account
WHERE (@book::text = '' OR b.book = @book) AND (@fund::text = '' OR b.fund = @fund)
    AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
    AND (@counterparty::text = '' OR b.counterparty = @counterparty)
ORDER BY b.account;

-- name: ListBalancesAtPosition :many
SELECT b.account, l.opening_debit_fen, l.opening_credit_fen, l.lines
FROM balances AS b CROSS JOIN LATERAL (
    SELECT a.opening_debit_fen, a.opening_credit_fen, a.lines FROM account_lines AS a
    WHERE a.account = b.account AND a.first_position <= @position
    ORDER BY a.first_position DESC LIMIT 1
) AS l
WHERE (@book::text = '' OR b.book = @book) AND (@fund::text = '' OR b.fund = @fund)
    AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
    AND (@counterparty::text = '' OR b.counterparty = @counterparty)
ORDER BY b.account;

-- name: ListBalancesAtDate :many
SELECT m.account, m.month, m.debit_fen, m.credit_fen, m.days
FROM account_months AS m JOIN balances AS b ON b.account = m.account
WHERE m.month <= @month::text
    AND (@book::text = '' OR b.book = @book) AND (@fund::text = '' OR b.fund = @fund)
    AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
    AND (@counterparty::text = '' OR b.counterparty = @counterparty)
ORDER BY m.account, m.month;

-- name: BlockAt :one
SELECT coalesce(max(first_position), 0)::int8 FROM account_lines
WHERE account = @account AND first_position <= @position;

-- name: ReadLines :many
SELECT first_position, opening_debit_fen, opening_credit_fen, lines FROM account_lines
WHERE account = @account AND first_position >= @first AND first_position <= @last
ORDER BY first_position LIMIT @blocks;

-- name: DaysOf :many
SELECT month, days FROM account_months WHERE account = @account ORDER BY month;

-- name: PlaceOfBatch :many
SELECT s.first_position, b.entries FROM sealed AS s JOIN batches AS b ON b.id = s.batch_id
WHERE s.batch_id = @batch;

-- name: CountEntries :one
SELECT count(*) FROM entries;

-- name: CountWaiting :one
SELECT coalesce(sum(coalesce(array_length(b.entries, 1), 0)), 0)::int8 FROM inbox AS i JOIN batches AS b ON b.id = i.batch_id;

-- name: AllSealed :many
SELECT s.first_position, s.batch_id, s.entries, coalesce(array_length(b.entries, 1), 0)::int8 AS named,
    s.posted_until, coalesce(b.posted_at, s.posted_until)::timestamptz AS posted_at
FROM sealed AS s LEFT JOIN batches AS b ON b.id = s.batch_id ORDER BY s.first_position;

-- name: AllBalances :many
SELECT account, debit_fen, credit_fen, line_count, position FROM balances ORDER BY account;

-- name: PageOfVouchers :many
SELECT book, period, number, entry_id, position FROM vouchers
WHERE (book, period, number) > (@book::text, @period::text, @number::int8)
ORDER BY book, period, number LIMIT @page;

-- name: PageOfLines :many
SELECT account, first_position, last_position, opening_debit_fen, opening_credit_fen, lines FROM account_lines
WHERE (account, first_position) > (@account::text, @first_position::int8)
ORDER BY account, first_position LIMIT @page;

-- name: PageOfMonths :many
SELECT account, month, debit_fen, credit_fen, days FROM account_months
WHERE (account, month) > (@account::text, @month::text)
ORDER BY account, month LIMIT @page;

-- name: InsertTreeHashes :exec
INSERT INTO tree_hashes (first_index, hashes) VALUES (@first_index, @hashes);

-- name: TreeHashesAt :many
SELECT w.wanted::int8 AS wanted, substr(t.hashes, ((w.wanted - t.first_index) * 32 + 1)::int4, 32)::bytea AS hash
FROM (SELECT unnest(@indexes::int8[]) AS wanted) AS w CROSS JOIN LATERAL (
    SELECT h.first_index, h.hashes FROM tree_hashes AS h
    WHERE h.first_index <= w.wanted ORDER BY h.first_index DESC LIMIT 1
) AS t;

-- name: NextTreeHashes :many
SELECT first_index, hashes FROM tree_hashes WHERE first_index > @after ORDER BY first_index LIMIT 1;

-- name: InsertCheckpoint :exec
INSERT INTO checkpoints (position, signer, note) VALUES (@position, @signer, @note)
ON CONFLICT (position, signer) DO NOTHING;

-- name: CheckpointsAt :many
SELECT signer, note FROM checkpoints WHERE position = @position ORDER BY signer;

-- name: LastCheckpoint :many
SELECT position FROM checkpoints ORDER BY position DESC LIMIT 1;

-- name: PageOfCheckpoints :many
SELECT position, signer, note FROM checkpoints
WHERE (position, signer) > (@position::int8, @signer::text)
ORDER BY position, signer LIMIT @page;

-- name: LaterBatches :many
SELECT b.id, b.entries, b.floors FROM batches AS b JOIN (
    SELECT i.batch_id FROM inbox AS i
    UNION ALL SELECT s.batch_id FROM sealed AS s WHERE s.first_position > @position
) AS w ON w.batch_id = b.id
WHERE b.id > @after ORDER BY b.id LIMIT @page;

-- name: PageOfBalances :many
SELECT account, debit_fen, credit_fen, line_count, position FROM balances
WHERE account > @account ORDER BY account LIMIT @page;

-- name: ReadCorrected :many
SELECT e.id, coalesce(max(c.version), 0)::int8 AS version
FROM entries AS e LEFT JOIN corrections AS c ON c.original = e.id
WHERE e.id = ANY(@ids::uuid[]) GROUP BY e.id;

-- name: InsertCorrections :exec
INSERT INTO corrections (original, correction, version, amounts)
SELECT t.original, t.correction, t.version, NULLIF(t.amounts, '')::jsonb
FROM (
    SELECT unnest(@originals::uuid[]) AS original, unnest(@corrections::uuid[]) AS correction,
        unnest(@versions::int8[]) AS version, unnest(@amounts::text[]) AS amounts
) AS t;

-- name: CorrectionsOf :many
SELECT correction, version, amounts FROM corrections WHERE original = @original ORDER BY version, correction;

-- name: LinksOf :many
SELECT c.correction, c.version, c.amounts FROM corrections AS c JOIN (
    SELECT unnest(@originals::uuid[]) AS original, unnest(@corrections::uuid[]) AS correction
) AS w ON w.original = c.original AND w.correction = c.correction;

-- name: CountCorrections :many
SELECT c.original, count(*) AS corrections FROM corrections AS c
    LEFT JOIN entries AS e ON e.id = c.correction
    LEFT JOIN sealed AS s ON s.batch_id = e.batch_id AND s.first_position <= @position
WHERE c.original = ANY(@originals::uuid[]) AND (e.id IS NULL OR s.batch_id IS NOT NULL)
GROUP BY c.original;

-- name: PlacesOf :many
SELECT e.id, coalesce(s.first_position + array_position(b.entries, e.id) - 1, 0)::int8 AS position
FROM entries AS e JOIN batches AS b ON b.id = e.batch_id JOIN sealed AS s ON s.batch_id = b.id
WHERE e.id = ANY(@ids::uuid[]);

-- name: WaitingOf :many
SELECT e.id FROM entries AS e
WHERE e.id = ANY(@ids::uuid[]) AND NOT EXISTS (
    SELECT 1 FROM sealed AS s WHERE s.batch_id = e.batch_id AND s.first_position <= @position
);

-- name: PageOfCorrections :many
SELECT original, correction, version, amounts FROM corrections
WHERE (original, correction) > (@original::uuid, @correction::uuid)
ORDER BY original, correction LIMIT @page;

-- name: ReadNow :one
SELECT now()::timestamptz;

-- name: InsertPending :exec
INSERT INTO pendings (key, state, expires_at, entry, digest, holds, decided_by, reason)
VALUES (@key, 'open', @expires_at, @entry::jsonb, @digest, @holds::jsonb, '', '');

-- name: ReadPending :many
SELECT sqlc.embed(pendings), (expires_at IS NOT NULL AND expires_at <= now())::bool AS due
FROM pendings WHERE key = @key;

-- name: ListPendings :many
SELECT key, state, expires_at, entry, digest, holds, made_at, decided_at, decided_by, reason FROM pendings
WHERE key > @after AND (@state::text = '' OR state = @state)
    AND (@floor::text = '' OR holds->>(@floor::text) IS NOT NULL)
    AND (NOT @of_books::bool OR EXISTS (
        SELECT 1 FROM jsonb_array_elements(pendings.entry->'postings') AS p(posting)
        WHERE split_part(p.posting->>'account', '/', 1) = ANY(@books::text[])
    ))
ORDER BY key LIMIT @page;

-- name: DecidePendings :execrows
UPDATE pendings SET state = @state, decided_at = now(), decided_by = @decided_by, reason = @reason
WHERE key = ANY(@keys::text[]) AND state = 'open';

-- name: ExpiredPendings :many
SELECT key, holds FROM pendings WHERE state = 'open' AND expires_at <= now()
ORDER BY expires_at, key LIMIT @page;

-- name: ExpiredHolding :many
SELECT key, holds FROM pendings
WHERE state = 'open' AND expires_at <= now() AND holds ?| @floors::text[]
ORDER BY key FOR UPDATE;

-- name: SelectEntries :many
SELECT id, key, batch_id, business_date, period, kind, summary, source, attachments,
    preparer, reviewer, corrects, legs, digest, posted_at
FROM entries WHERE id = ANY(@ids::uuid[])
    AND (@kind::text = '' OR kind = @kind) AND (@source::text = '' OR source = @source)
    AND (@period::text = '' OR period = @period)
    AND business_date BETWEEN coalesce(NULLIF(@from_date::text, ''), '0001-01-01')::date
        AND coalesce(NULLIF(@to_date::text, ''), '9999-12-31')::date;

-- Accounts in their order with what stands on them at a position; found tells
-- whether they had a line by then.
-- name: PageOfBalancesAt :many
SELECT a.account, a.reserved_fen, (l.first_position IS NOT NULL)::bool AS found,
    coalesce(l.opening_debit_fen, 0)::int8 AS debit_fen, coalesce(l.opening_credit_fen, 0)::int8 AS credit_fen,
    coalesce(l.lines, '[]')::jsonb AS lines
FROM (
    SELECT b.account, coalesce(f.reserved_fen, 0)::int8 AS reserved_fen
    FROM balances AS b LEFT JOIN floors AS f ON f.account = b.account
    WHERE b.account > @after::text AND (@all_books::bool OR b.book = ANY(@books::text[]))
        AND (@fund::text = '' OR b.fund = @fund)
        AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
        AND (@counterparty::text = '' OR b.counterparty = @counterparty)
    ORDER BY b.account LIMIT @page
) AS a LEFT JOIN LATERAL (
    SELECT x.first_position, x.opening_debit_fen, x.opening_credit_fen, x.lines FROM account_lines AS x
    WHERE x.account = a.account AND x.first_position <= @position::int8
    ORDER BY x.first_position DESC LIMIT 1
) AS l ON true
ORDER BY a.account;

-- name: MonthsUntil :many
SELECT account, month, debit_fen, credit_fen, days FROM account_months
WHERE account = ANY(@accounts::text[]) AND month <= @month::text;

-- name: LinesBehind :many
SELECT account, lines FROM account_lines
WHERE account = ANY(@accounts::text[]) AND last_position > @position::int8;

-- name: LastPeriodEvents :many
SELECT e.book, e.month, e.number, e.state, e.person, e.reason, e.position, e.changed_at
FROM period_events AS e JOIN (
    SELECT book, month, max(number) AS number FROM period_events WHERE book = ANY(@books::text[]) GROUP BY book, month
) AS l ON l.book = e.book AND l.month = e.month AND l.number = e.number;

-- The last month of each book that has a voucher, and that of its business dates.
-- name: LastMonths :many
SELECT w.book::text AS book,
    coalesce((SELECT v.period FROM vouchers AS v WHERE v.book = w.book ORDER BY v.period DESC LIMIT 1), '')::text AS voucher,
    coalesce((SELECT max(m.month) FROM balances AS b JOIN account_months AS m ON m.account = b.account WHERE b.book = w.book), '')::text AS turnover
FROM (SELECT unnest(@books::text[]) AS book) AS w;

-- name: PageOfPeriodEvents :many
SELECT book, month, number, state, person, reason, position, changed_at FROM period_events
WHERE book = @book AND (@month::text = '' OR month = @month)
    AND (month, number) > (@after_month::text, @after_number::int8)
ORDER BY month, number LIMIT @page;

-- name: CheckpointPositions :many
SELECT DISTINCT position FROM checkpoints
WHERE (@before::int8 = 0 OR position < @before) AND (@signer::text = '' OR signer = @signer)
ORDER BY position DESC LIMIT @page;

-- name: FindChangeKey :many
SELECT digest FROM change_keys WHERE operation = @operation AND key = @key;

-- name: InsertChangeKey :exec
INSERT INTO change_keys (operation, key, digest) VALUES (@operation, @key, @digest);

-- name: AddShifts :exec
INSERT INTO account_shifts (account, month, period, debit_fen, credit_fen, first_position, last_position)
SELECT unnest(@accounts::text[]), unnest(@months::text[]), unnest(@periods::text[]), unnest(@debits::int8[]),
    unnest(@credits::int8[]), unnest(@firsts::int8[]), unnest(@lasts::int8[])
ON CONFLICT (account, month, period) DO UPDATE SET debit_fen = account_shifts.debit_fen + excluded.debit_fen,
    credit_fen = account_shifts.credit_fen + excluded.credit_fen, last_position = excluded.last_position;

-- name: PageOfShifts :many
SELECT account, month, period, debit_fen, credit_fen, first_position, last_position FROM account_shifts
WHERE (account, month, period) > (@account::text, @month::text, @period::text)
ORDER BY account, month, period LIMIT @page;

-- name: ShiftsOf :many
SELECT s.account, s.month, s.period, s.debit_fen, s.credit_fen, s.first_position, s.last_position
FROM balances AS b JOIN account_shifts AS s ON s.account = b.account
WHERE (@book::text = '' OR b.book = @book) AND (@fund::text = '' OR b.fund = @fund)
    AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
    AND (@counterparty::text = '' OR b.counterparty = @counterparty);

-- name: ShiftsOfAccount :many
SELECT month, period, first_position, last_position FROM account_shifts WHERE account = @account;

-- name: ListTurnover :many
SELECT m.account, m.month, m.debit_fen, m.credit_fen, (CASE WHEN @with_days::bool THEN m.days ELSE '{}' END)::jsonb AS days
FROM balances AS b JOIN account_months AS m ON m.account = b.account
WHERE m.month <= @month::text
    AND (@book::text = '' OR b.book = @book) AND (@fund::text = '' OR b.fund = @fund)
    AND (@subject::text = '' OR b.subject = @subject OR b.subject LIKE @subject || '.%')
    AND (@counterparty::text = '' OR b.counterparty = @counterparty)
ORDER BY m.account, m.month;

-- The blocks of the accounts that hold lines behind the position, up to the one
-- that begins at or before until.
-- name: BlocksBehind :many
SELECT l.account, l.lines
FROM (SELECT unnest(@accounts::text[]) AS account) AS w CROSS JOIN LATERAL (
    SELECT a.account, a.first_position, a.lines FROM account_lines AS a
    WHERE a.account = w.account AND a.last_position > @position::int8 AND a.first_position <= @until::int8
        AND a.first_position >= coalesce((
            SELECT max(x.first_position) FROM account_lines AS x
            WHERE x.account = w.account AND x.first_position <= @position::int8
        ), 0)
) AS l
ORDER BY l.account, l.first_position;

-- name: PeriodsOf :many
SELECT id, period FROM entries WHERE id = ANY(@ids::uuid[]);
