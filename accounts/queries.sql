-- name: ListRegions :many
SELECT code, name, kind FROM regions;

-- name: ListProfiles :many
SELECT DISTINCT profile FROM books;

-- name: ListFunds :many
SELECT code, name, field, valid_from, valid_to, source FROM funds;

-- name: ListSubjects :many
SELECT role, code, name, layer, normal, postable, counterparty, floor, group_name, group_by_counterparty, valid_from, valid_to, source FROM subjects;

-- name: ListPostingRules :many
SELECT event, step, title, region, role, side, red, subject, counterparty, amount, detail, valid_from, valid_to, source
FROM posting_rules ORDER BY position, event, step, valid_from;

-- name: ListPolicy :many
SELECT key, value, unit, title, valid_from, valid_to, source FROM policy ORDER BY position, key, valid_from;

-- name: ListCalendarDays :many
SELECT day, kind, name, source FROM calendar_days;

-- name: ListCodes :many
SELECT list, code, name, expense, valid_from, valid_to, source FROM codes;

-- name: InsertRegions :exec
INSERT INTO regions (code, name, kind)
SELECT unnest(@codes::text[]), unnest(@names::text[]), unnest(@kinds::text[]);

-- name: InsertBooks :exec
INSERT INTO books (book, region, role, profile)
SELECT t.book, t.region, t.role, @profile::text FROM (
    SELECT unnest(@books::text[]) AS book, unnest(@regions::text[]) AS region, unnest(@roles::text[]) AS role
) AS t
ON CONFLICT (book) DO NOTHING;

-- name: InsertFunds :exec
INSERT INTO funds (code, name, field, valid_from, valid_to, source)
SELECT t.code, t.name, t.field, t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source FROM (
    SELECT unnest(@codes::text[]) AS code, unnest(@names::text[]) AS name, unnest(@fields::text[]) AS field,
        unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to, unnest(@sources::text[]) AS source
) AS t;

-- name: InsertSubjects :exec
INSERT INTO subjects (role, code, name, layer, normal, postable, counterparty, floor, group_name, group_by_counterparty, valid_from, valid_to, source)
SELECT t.role, t.code, t.name, t.layer, t.normal, t.postable, t.counterparty, t.floor, t.group_name, t.by_counterparty,
    t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source FROM (
    SELECT unnest(@roles::text[]) AS role, unnest(@codes::text[]) AS code, unnest(@names::text[]) AS name,
        unnest(@layers::text[]) AS layer, unnest(@normals::text[]) AS normal, unnest(@postable::bool[]) AS postable,
        unnest(@counterparties::text[]) AS counterparty, unnest(@floors::bool[]) AS floor,
        unnest(@group_names::text[]) AS group_name, unnest(@by_counterparty::bool[]) AS by_counterparty,
        unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to, unnest(@sources::text[]) AS source
) AS t;

-- name: InsertPostingRules :exec
INSERT INTO posting_rules (event, step, title, region, role, side, red, subject, counterparty, amount, detail, valid_from, valid_to, source, position)
SELECT t.event, t.step, t.title, t.region, t.role, t.side, t.red, t.subject, t.counterparty, t.amount, t.detail,
    t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source, t.position FROM (
    SELECT unnest(@events::text[]) AS event, unnest(@steps::int8[]) AS step, unnest(@titles::text[]) AS title,
        unnest(@regions::text[]) AS region, unnest(@roles::text[]) AS role, unnest(@sides::text[]) AS side,
        unnest(@red::bool[]) AS red, unnest(@subjects::text[]) AS subject, unnest(@counterparties::text[]) AS counterparty,
        unnest(@amounts::text[]) AS amount, unnest(@details::bool[]) AS detail,
        unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to, unnest(@sources::text[]) AS source,
        unnest(@positions::int8[]) AS position
) AS t;

-- name: InsertPolicy :exec
INSERT INTO policy (key, value, unit, title, valid_from, valid_to, source, position)
SELECT t.key, t.value, t.unit, t.title, t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source, t.position FROM (
    SELECT unnest(@keys::text[]) AS key, unnest(@values::text[]) AS value, unnest(@units::text[]) AS unit,
        unnest(@titles::text[]) AS title, unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to,
        unnest(@sources::text[]) AS source, unnest(@positions::int8[]) AS position
) AS t;

-- name: InsertCalendarDays :exec
INSERT INTO calendar_days (day, kind, name, source)
SELECT t.day::date, t.kind, t.name, t.source FROM (
    SELECT unnest(@days::text[]) AS day, unnest(@kinds::text[]) AS kind, unnest(@names::text[]) AS name, unnest(@sources::text[]) AS source
) AS t;

-- name: InsertCodes :exec
INSERT INTO codes (list, code, name, expense, valid_from, valid_to, source)
SELECT t.list, t.code, t.name, t.expense, t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source FROM (
    SELECT unnest(@lists::text[]) AS list, unnest(@codes::text[]) AS code, unnest(@names::text[]) AS name,
        unnest(@expenses::text[]) AS expense, unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to,
        unnest(@sources::text[]) AS source
) AS t;

-- name: EndFund :exec
UPDATE funds SET valid_to = CAST(@valid_to::text AS date) WHERE code = @code AND valid_from = CAST(@valid_from::text AS date);

-- name: EndSubject :exec
UPDATE subjects SET valid_to = CAST(@valid_to::text AS date) WHERE role = @role AND code = @code AND valid_from = CAST(@valid_from::text AS date);

-- name: EndPostingRule :exec
UPDATE posting_rules SET valid_to = CAST(@valid_to::text AS date) WHERE event = @event AND step = @step AND valid_from = CAST(@valid_from::text AS date);

-- name: EndParameter :exec
UPDATE policy SET valid_to = CAST(@valid_to::text AS date) WHERE key = @key AND valid_from = CAST(@valid_from::text AS date);

-- name: EndCode :exec
UPDATE codes SET valid_to = CAST(@valid_to::text AS date) WHERE list = @list AND code = @code AND valid_from = CAST(@valid_from::text AS date);

-- name: ListAccessRules :many
SELECT action, roles, title, valid_from, valid_to, source FROM access_rules ORDER BY position, action, valid_from;

-- name: InsertAccessRules :exec
INSERT INTO access_rules (action, roles, title, valid_from, valid_to, source, position)
SELECT t.action, t.roles, t.title, t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source, t.position FROM (
    SELECT unnest(@actions::text[]) AS action, unnest(@roles::text[]) AS roles, unnest(@titles::text[]) AS title,
        unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to, unnest(@sources::text[]) AS source,
        unnest(@positions::int8[]) AS position
) AS t;

-- name: EndAccessRule :exec
UPDATE access_rules SET valid_to = CAST(@valid_to::text AS date) WHERE action = @action AND valid_from = CAST(@valid_from::text AS date);

-- name: ReadNow :one
SELECT now()::timestamptz;

-- name: RulesVersion :one
SELECT coalesce(max(version), 0)::int8 FROM rule_changes;

-- name: FindRuleChange :many
SELECT version, digest, changes FROM rule_changes WHERE key = @key::text;

-- name: InsertRuleChange :exec
INSERT INTO rule_changes (version, key, digest, subject, reason, rows, changes)
VALUES (@version, NULLIF(@key::text, ''), @digest, @subject, @reason, @rows::jsonb, @changes::jsonb);

-- name: PostingPositions :many
SELECT event, max(position)::int8 AS position FROM posting_rules GROUP BY event;

-- name: PolicyPositions :many
SELECT key, max(position)::int8 AS position FROM policy GROUP BY key;

-- name: ListStatementLines :many
SELECT statement, role, fund, line, title, section, subjects, formula, valid_from, valid_to, source
FROM statement_lines ORDER BY position, statement, role, fund, line, valid_from;

-- name: InsertStatementLines :exec
INSERT INTO statement_lines (statement, role, fund, line, title, section, subjects, formula, valid_from, valid_to, source, position)
SELECT t.statement, t.role, t.fund, t.line, t.title, t.section, t.subjects, t.formula,
    t.valid_from::date, NULLIF(t.valid_to, '')::date, t.source, t.position FROM (
    SELECT unnest(@statements::text[]) AS statement, unnest(@roles::text[]) AS role, unnest(@funds::text[]) AS fund,
        unnest(@lines::text[]) AS line, unnest(@titles::text[]) AS title, unnest(@sections::text[]) AS section,
        unnest(@subjects::text[]) AS subjects, unnest(@formulas::text[]) AS formula,
        unnest(@valid_from::text[]) AS valid_from, unnest(@valid_to::text[]) AS valid_to, unnest(@sources::text[]) AS source,
        unnest(@positions::int8[]) AS position
) AS t;

-- name: EndStatementLine :exec
UPDATE statement_lines SET valid_to = CAST(@valid_to::text AS date)
WHERE statement = @statement AND role = @role AND fund = @fund AND line = @line AND valid_from = CAST(@valid_from::text AS date);

-- name: StatementPositions :many
SELECT statement, role, fund, max(position)::int8 AS position FROM statement_lines GROUP BY statement, role, fund;
