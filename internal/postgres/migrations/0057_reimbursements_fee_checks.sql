-- Manual reimbursements (零星报销) and fee checks (费用协查). What was done with
-- each stands in provider_events.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS reimbursements (
    region      text NOT NULL,
    document    text NOT NULL,
    psn_no      text NOT NULL,
    med_type    text NOT NULL,
    bill_fen    int8 NOT NULL,
    funds       text[] NOT NULL,
    parts       text[] NOT NULL,
    amounts_fen int8[] NOT NULL,
    received_on date NOT NULL,
    received_by text NOT NULL,
    due_on      date NOT NULL,
    longest_on  date NOT NULL,
    state       text NOT NULL,
    paid_on     date,
    reference   text NOT NULL DEFAULT '',
    entry_id    uuid,
    PRIMARY KEY (region, document)
);

CREATE INDEX IF NOT EXISTS reimbursements_by_due ON reimbursements (state, due_on);

CREATE TABLE IF NOT EXISTS fee_checks (
    id          text PRIMARY KEY,
    setl_id     text NOT NULL,
    insured     text NOT NULL,
    treating    text NOT NULL,
    provider    text NOT NULL,
    bill_fen    int8 NOT NULL,
    reason      text NOT NULL,
    asked_on    date NOT NULL,
    asked_by    text NOT NULL,
    answer_due  date NOT NULL,
    state       text NOT NULL,
    outcome     text NOT NULL DEFAULT '',
    differs_fen int8 NOT NULL DEFAULT 0,
    answered_on date,
    confirm_due date,
    closed_on   date
);

CREATE INDEX IF NOT EXISTS fee_checks_by_settlement ON fee_checks (setl_id);

CREATE INDEX IF NOT EXISTS fee_checks_by_state ON fee_checks (state, id);

-- +goose Down
DROP TABLE fee_checks;
DROP TABLE reimbursements;
