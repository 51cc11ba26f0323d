-- Settlements that are equal on all three sides. Those that are posted stand in
-- blocks, as many as one transaction has posted, with what they sum to: a row
-- per settlement would cost as much as its entry. Whether one is posted, its
-- entry tells. A row of its own have refunds, because later ones are measured
-- against them, and settlements of which no fund pays anything, because they
-- have no entry.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS accepted_blocks (
    id            uuid PRIMARY KEY,
    service_month text NOT NULL,
    kind          text NOT NULL,
    records       int8 NOT NULL,
    setl_ids      text[] NOT NULL,
    sums          jsonb NOT NULL,
    run_id        text
);

CREATE INDEX IF NOT EXISTS accepted_blocks_by_run ON accepted_blocks (run_id, kind, service_month);

CREATE INDEX IF NOT EXISTS accepted_blocks_by_month ON accepted_blocks (service_month);

CREATE TABLE IF NOT EXISTS settlements_apart (
    setl_id       text PRIMARY KEY,
    state         text NOT NULL,
    waiting_for   text NOT NULL,
    service_month text NOT NULL,
    settled_on    date NOT NULL,
    insutype      text NOT NULL,
    insured       text NOT NULL,
    treating      text NOT NULL,
    provider      text NOT NULL,
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
    orig_setl_id  text NOT NULL
);

CREATE INDEX IF NOT EXISTS refunds_by_original ON settlements_apart (orig_setl_id);

CREATE INDEX IF NOT EXISTS settlements_waiting ON settlements_apart (settled_on, setl_id) WHERE state = 'waiting';

-- +goose Down
DROP TABLE settlements_apart;
DROP TABLE accepted_blocks;
