-- The layouts of statements: the lines of 资产负债表 and 收支表, and the subjects
-- or lines that each is made of.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS statement_lines (
    statement  text NOT NULL,
    role       text NOT NULL,
    fund       text NOT NULL,
    line       text NOT NULL,
    title      text NOT NULL,
    section    text NOT NULL,
    subjects   text NOT NULL,
    formula    text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    source     text NOT NULL,
    position   int8 NOT NULL,
    PRIMARY KEY (statement, role, fund, line, valid_from)
);

-- +goose Down
DROP TABLE statement_lines;
