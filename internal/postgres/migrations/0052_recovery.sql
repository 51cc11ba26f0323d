-- Deductions and clawback cases with what happened to them. Amounts are arrays
-- in the order of the fields hifp_pay to acct_pay. A case's row is locked by
-- whoever takes a step; the steps are never changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS deductions (
    id           text PRIMARY KEY,
    setl_id      text NOT NULL,
    insutype     text NOT NULL,
    insured      text NOT NULL,
    treating     text NOT NULL,
    provider     text NOT NULL,
    document     text NOT NULL,
    reason       text NOT NULL,
    decided_on   date NOT NULL,
    decided_by   text NOT NULL,
    rest_mode    text NOT NULL,
    asked_fen    int8[] NOT NULL,
    deducted_fen int8[] NOT NULL,
    entry        uuid
);

CREATE INDEX IF NOT EXISTS deductions_by_settlement ON deductions (setl_id);

CREATE TABLE IF NOT EXISTS clawbacks (
    id          text PRIMARY KEY,
    setl_id     text NOT NULL,
    insutype    text NOT NULL,
    insured     text NOT NULL,
    treating    text NOT NULL,
    provider    text NOT NULL,
    med_type    text NOT NULL,
    mode        text NOT NULL,
    document    text NOT NULL,
    reason      text NOT NULL,
    opened_on   date NOT NULL,
    opened_by   text NOT NULL,
    claimed_fen int8[] NOT NULL,
    state       text NOT NULL,
    steps       int8 NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS clawbacks_by_settlement ON clawbacks (setl_id);

CREATE TABLE IF NOT EXISTS clawback_steps (
    case_id     text NOT NULL,
    step        text NOT NULL,
    reference   text NOT NULL,
    number      int8 NOT NULL,
    taken_on    date NOT NULL,
    taken_by    text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    document    text NOT NULL DEFAULT '',
    requested   text NOT NULL DEFAULT '',
    amounts_fen int8[] NOT NULL,
    penalty_fen int8 NOT NULL DEFAULT 0,
    record      text NOT NULL DEFAULT '',
    run_id      text NOT NULL DEFAULT '',
    entries     uuid[] NOT NULL,
    PRIMARY KEY (case_id, step, reference)
);

CREATE INDEX IF NOT EXISTS clawback_steps_by_record ON clawback_steps (record) WHERE record <> '';

-- +goose Down
DROP TABLE clawback_steps;
DROP TABLE clawbacks;
DROP TABLE deductions;
