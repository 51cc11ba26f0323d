-- Yearly quota plans (预付金额度) with the figures that they follow from, and
-- what people have decided about prepayments: steps are never changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS prepayment_plans (
    id      text PRIMARY KEY,
    year    int8 NOT NULL,
    scheme  text NOT NULL,
    issued  date NOT NULL,
    source  text NOT NULL,
    made_by text NOT NULL,
    UNIQUE (scheme, year)
);

CREATE TABLE IF NOT EXISTS prepayment_plan_bases (
    plan       text NOT NULL,
    basis      text NOT NULL,
    fund       text NOT NULL,
    party      text NOT NULL,
    period     text NOT NULL,
    amount_fen int8 NOT NULL,
    PRIMARY KEY (plan, basis, fund, party, period)
);

CREATE TABLE IF NOT EXISTS prepayment_plan_quotas (
    plan      text NOT NULL,
    fund      text NOT NULL,
    city      text NOT NULL,
    province  text NOT NULL,
    quota_fen int8 NOT NULL,
    PRIMARY KEY (plan, fund, city, province)
);

CREATE TABLE IF NOT EXISTS prepayment_plan_positions (
    plan      text NOT NULL,
    party     text NOT NULL,
    fund      text NOT NULL,
    quota_fen int8 NOT NULL,
    held_fen  int8 NOT NULL,
    PRIMARY KEY (plan, party, fund)
);

CREATE TABLE IF NOT EXISTS prepayment_steps (
    key         text PRIMARY KEY,
    subject     text NOT NULL,
    number      int8 NOT NULL,
    step        text NOT NULL,
    taken_on    date NOT NULL,
    by_whom     text NOT NULL,
    document    text NOT NULL,
    reason      text NOT NULL,
    content     text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject, number)
);

-- +goose Down
DROP TABLE prepayment_steps;
DROP TABLE prepayment_plan_positions;
DROP TABLE prepayment_plan_quotas;
DROP TABLE prepayment_plan_bases;
DROP TABLE prepayment_plans;
