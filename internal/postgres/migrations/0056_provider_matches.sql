-- Reconciliations of a month with a provider (对账): both sides' sums, and the
-- records in which they differ. A file that is compared again gets another
-- number only where what stands here has changed.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS provider_matches (
    treating      text NOT NULL,
    provider      text NOT NULL,
    month         text NOT NULL,
    number        int8 NOT NULL,
    file          text NOT NULL,
    sha256        text NOT NULL,
    ours_sha256   text NOT NULL,
    their_records int8 NOT NULL,
    their_fen     int8 NOT NULL,
    our_records   int8 NOT NULL,
    our_fen       int8 NOT NULL,
    equal_records int8 NOT NULL,
    equal_fen     int8 NOT NULL,
    matched_on    date NOT NULL,
    matched_by    text NOT NULL,
    position      int8 NOT NULL,
    PRIMARY KEY (treating, provider, month, number)
);

CREATE TABLE IF NOT EXISTS provider_differences (
    treating  text NOT NULL,
    provider  text NOT NULL,
    month     text NOT NULL,
    number    int8 NOT NULL,
    setl_id   text NOT NULL,
    kind      text NOT NULL,
    their_fen int8 NOT NULL,
    our_fen   int8 NOT NULL,
    detail    text NOT NULL,
    PRIMARY KEY (treating, provider, month, number, setl_id)
);

-- +goose Down
DROP TABLE provider_differences;
DROP TABLE provider_matches;
