-- Settlements that are equal on all three sides: posted, or refunds that wait
-- for their original.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS settlements (
    setl_id       text PRIMARY KEY,
    state         text NOT NULL,
    waiting_for   text NOT NULL,
    kind          text NOT NULL,
    service_month text NOT NULL,
    settled_on    date NOT NULL,
    insutype      text NOT NULL,
    insured       text NOT NULL,
    treating      text NOT NULL,
    provider      text NOT NULL,
    clr_type      text NOT NULL,
    med_type      text NOT NULL,
    benefit_year  int8 NOT NULL,
    hifp_fen      int8 NOT NULL,
    cvlserv_fen   int8 NOT NULL,
    hifes_fen     int8 NOT NULL,
    hifmi_fen     int8 NOT NULL,
    hifob_fen     int8 NOT NULL,
    maf_fen       int8 NOT NULL,
    oth_fen       int8 NOT NULL,
    acct_fen      int8 NOT NULL,
    refund        bool NOT NULL,
    orig_setl_id  text NOT NULL,
    run_id        text
);

CREATE INDEX IF NOT EXISTS settlements_by_run ON settlements (run_id, kind, service_month);

CREATE INDEX IF NOT EXISTS settlements_by_month ON settlements (service_month);

CREATE INDEX IF NOT EXISTS refunds_by_original ON settlements (orig_setl_id) WHERE refund;

CREATE INDEX IF NOT EXISTS settlements_waiting ON settlements (settled_on, setl_id) WHERE state = 'waiting';

-- +goose Down
DROP TABLE settlements;
