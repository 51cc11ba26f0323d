-- name: ListBankAccounts :many
SELECT number, valid_from, valid_to, bank, holder, book, backs, source, entered_by
FROM bank_accounts ORDER BY number, valid_from;

-- name: InsertBankAccount :exec
INSERT INTO bank_accounts (number, valid_from, valid_to, bank, holder, book, backs, source, entered_by)
VALUES (@number, @valid_from::date, NULLIF(@valid_to::text, '')::date, @bank, @holder, @book, @backs::text[], @source, @entered_by);

-- name: EndBankAccount :exec
UPDATE bank_accounts SET valid_to = @valid_to::date WHERE number = @number AND valid_from = @valid_from::date;

-- name: FindChangeKey :many
SELECT digest FROM change_keys WHERE operation = @operation AND key = @key;

-- name: InsertChangeKey :exec
INSERT INTO change_keys (operation, key, digest) VALUES (@operation, @key, @digest);

-- name: ListBankStatements :many
SELECT account, first_day, last_day, opening_fen, closing_fen, line_count, digest, file_name, imported_by, imported_at
FROM bank_statements WHERE account = ANY(@accounts::text[]) ORDER BY account, first_day, last_day;

-- name: InsertBankStatement :exec
INSERT INTO bank_statements (account, first_day, last_day, opening_fen, closing_fen, line_count, digest, file_name, imported_by)
VALUES (@account, @first_day::date, @last_day::date, @opening_fen, @closing_fen, @line_count, @digest, @file_name, @imported_by);

-- name: ListBankLines :many
SELECT l.account, l.serial, l.entry_date, l.side, l.amount_fen, l.counterparty_account, l.counterparty_name, l.remark, l.reference, l.balance_fen,
    m.match_id
FROM bank_lines AS l LEFT JOIN bank_matched_lines AS m ON m.account = l.account AND m.serial = l.serial
WHERE l.account = @account AND l.entry_date BETWEEN @from_day::date AND @to_day::date
ORDER BY l.entry_date, l.serial;

-- name: PageOfBankLines :many
SELECT l.account, l.serial, l.entry_date, l.side, l.amount_fen, l.counterparty_account, l.counterparty_name, l.remark, l.reference, l.balance_fen,
    m.match_id
FROM bank_lines AS l LEFT JOIN bank_matched_lines AS m ON m.account = l.account AND m.serial = l.serial
WHERE l.account = @account AND l.entry_date BETWEEN @from_day::date AND @to_day::date
    AND (NOT @open_only::bool OR m.match_id IS NULL)
    AND (l.entry_date, l.serial) > (@after_day::date, @after_serial::text)
ORDER BY l.entry_date, l.serial LIMIT @page;

-- name: FindBankLines :many
SELECT l.account, l.serial, l.entry_date, l.side, l.amount_fen, l.counterparty_account, l.counterparty_name, l.remark, l.reference, l.balance_fen,
    m.match_id
FROM bank_lines AS l LEFT JOIN bank_matched_lines AS m ON m.account = l.account AND m.serial = l.serial
WHERE l.account = @account AND l.serial = ANY(@serials::text[])
ORDER BY l.entry_date, l.serial;

-- name: InsertBankLines :exec
INSERT INTO bank_lines (account, serial, entry_date, side, amount_fen, counterparty_account, counterparty_name, remark, reference, balance_fen)
SELECT @account::text, t.serial, t.entry_date::date, t.side, t.amount_fen, t.counterparty_account, t.counterparty_name, t.remark, t.reference,
    NULLIF(t.balance_fen, '')::int8
FROM (
    SELECT unnest(@serials::text[]) AS serial, unnest(@days::text[]) AS entry_date, unnest(@sides::text[]) AS side,
        unnest(@amounts_fen::int8[]) AS amount_fen, unnest(@counterparty_accounts::text[]) AS counterparty_account,
        unnest(@counterparty_names::text[]) AS counterparty_name, unnest(@remarks::text[]) AS remark,
        unnest(@refs::text[]) AS reference, unnest(@balances_fen::text[]) AS balance_fen
) AS t;

-- name: ListMatchedPostings :many
SELECT entry, leg, match_id FROM bank_matched_postings WHERE account = @account;

-- name: FindMatchedPostings :many
SELECT entry, leg, match_id FROM bank_matched_postings WHERE entry = ANY(@entries::uuid[]);

-- name: InsertMatchEvent :exec
INSERT INTO bank_match_events (match_id, step, account, rule, automatic, serials, entries, legs, amount_fen, person, happened_on, reason, request_key)
VALUES (@match_id, @step, @account, @rule, @automatic, @serials::text[], @entries::uuid[], @legs::int8[], @amount_fen, @person, @happened_on::date, @reason, @request_key);

-- name: InsertMatchedLines :exec
INSERT INTO bank_matched_lines (account, serial, match_id)
SELECT @account::text, unnest(@serials::text[]), @match_id::uuid;

-- name: InsertMatchedPostings :exec
INSERT INTO bank_matched_postings (entry, leg, account, match_id)
SELECT unnest(@entries::uuid[]), unnest(@legs::int8[]), @account::text, @match_id::uuid;

-- name: DeleteMatchedLines :exec
DELETE FROM bank_matched_lines WHERE account = @account AND serial = ANY(@serials::text[]) AND match_id = @match_id;

-- name: DeleteMatchedPostings :exec
DELETE FROM bank_matched_postings WHERE entry = ANY(@entries::uuid[]) AND match_id = @match_id;

-- name: MatchEvents :many
SELECT match_id, step, account, rule, automatic, serials, entries, legs, amount_fen, person, happened_on, reason, request_key, recorded_at
FROM bank_match_events WHERE match_id = @match_id ORDER BY step;

-- name: MatchEventsOf :many
SELECT match_id, step, account, rule, automatic, serials, entries, legs, amount_fen, person, happened_on, reason, request_key, recorded_at
FROM bank_match_events WHERE account = @account ORDER BY match_id, step;

-- name: MatchEventsUnder :many
SELECT match_id, step, account, rule, automatic, serials, entries, legs, amount_fen, person, happened_on, reason, request_key, recorded_at
FROM bank_match_events WHERE request_key = @request_key ORDER BY match_id, step;
