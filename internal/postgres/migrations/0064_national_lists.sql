-- Figures that the national platform has decided: its clearing list of a month,
-- its quota adjustment notice of a year, the top-up amounts it has approved in a
-- month. A later list of the same kind and period takes the earlier one's place.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS national_lists (
    id          text PRIMARY KEY,
    kind        text NOT NULL,
    period      text NOT NULL,
    file        text NOT NULL,
    imported_by text NOT NULL,
    imported_on date NOT NULL,
    state       text NOT NULL,
    in_force    bool NOT NULL
);

CREATE INDEX IF NOT EXISTS national_lists_by_period ON national_lists (kind, period) WHERE in_force;

CREATE TABLE IF NOT EXISTS national_figures (
    list       text NOT NULL,
    province   text NOT NULL,
    fund       text NOT NULL,
    line       int8 NOT NULL,
    first_fen  int8 NOT NULL,
    second_fen int8 NOT NULL,
    PRIMARY KEY (list, province, fund)
);

-- +goose Down
DROP TABLE national_figures;
DROP TABLE national_lists;
