-- What a frozen run clears between each two regions, and how much of it has
-- been discharged on the insured side (9101.02) and the treating side (9001.02).

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS run_parts (
    run               text NOT NULL,
    insured           text NOT NULL,
    treating          text NOT NULL,
    fund              text NOT NULL,
    category          text NOT NULL,
    part              text NOT NULL,
    benefit_year      int8 NOT NULL,
    records           int8 NOT NULL,
    carried_over      int8 NOT NULL,
    amount_fen        int8 NOT NULL,
    paid_insured_fen  int8 NOT NULL DEFAULT 0,
    paid_treating_fen int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (run, insured, treating, fund, category, part, benefit_year)
);

-- +goose Down
DROP TABLE run_parts;
