-- Who may do what, and every change of the rules. The last change's version is
-- the version of all rules.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS access_rules (
    action     text NOT NULL,
    roles      text NOT NULL,
    title      text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    source     text NOT NULL,
    position   int8 NOT NULL,
    PRIMARY KEY (action, valid_from)
);

CREATE TABLE IF NOT EXISTS rule_changes (
    version int8 PRIMARY KEY,
    key     text UNIQUE,
    digest  bytea NOT NULL,
    subject text NOT NULL,
    reason  text NOT NULL,
    rows    jsonb NOT NULL,
    changes jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE rule_changes;
DROP TABLE access_rules;
