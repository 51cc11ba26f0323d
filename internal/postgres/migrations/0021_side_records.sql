-- What each side says of a settlement now: one row per settlement and side.
-- The content of a rejected record stands with the rows set aside.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS side_records (
    setl_id       text NOT NULL,
    side          text NOT NULL,
    status        text NOT NULL,
    kind          text NOT NULL,
    file_id       uuid NOT NULL,
    line          int8 NOT NULL,
    service_month text NOT NULL,
    refund        bool NOT NULL,
    digest        bytea NOT NULL,
    mdtrt_id      text NOT NULL DEFAULT '',
    psn_no        text NOT NULL DEFAULT '',
    insutype      text NOT NULL DEFAULT '',
    insured       text NOT NULL DEFAULT '',
    treating      text NOT NULL DEFAULT '',
    provider      text NOT NULL DEFAULT '',
    clr_type      text NOT NULL DEFAULT '',
    med_type      text NOT NULL DEFAULT '',
    begndate      date,
    enddate       date,
    setl_time     timestamptz,
    medfee_fen    int8 NOT NULL DEFAULT 0,
    fund_pay_fen  int8 NOT NULL DEFAULT 0,
    hifp_fen      int8 NOT NULL DEFAULT 0,
    cvlserv_fen   int8 NOT NULL DEFAULT 0,
    hifes_fen     int8 NOT NULL DEFAULT 0,
    hifmi_fen     int8 NOT NULL DEFAULT 0,
    hifob_fen     int8 NOT NULL DEFAULT 0,
    maf_fen       int8 NOT NULL DEFAULT 0,
    oth_fen       int8 NOT NULL DEFAULT 0,
    acct_fen      int8 NOT NULL DEFAULT 0,
    cash_fen      int8 NOT NULL DEFAULT 0,
    orig_setl_id  text NOT NULL DEFAULT '',
    PRIMARY KEY (setl_id, side)
);

CREATE INDEX IF NOT EXISTS side_records_by_month ON side_records (service_month, setl_id, side);

-- +goose Down
DROP TABLE side_records;
