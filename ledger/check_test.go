package ledger_test

import (
	"strings"
	"testing"

	"fundledger/internal/postgres"
)

func TestTheApplicationCannotRewriteHistory(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100))
	f.catchUp(t)
	for _, statement := range []string{
		"UPDATE entries SET summary = 'x'", "DELETE FROM entries", "UPDATE batches SET vouchers = '[]'", "DELETE FROM batches",
		"UPDATE sealed SET entries = 2", "DELETE FROM sealed", "UPDATE vouchers SET number = 2", "DELETE FROM vouchers",
		"UPDATE corrections SET version = 2", "DELETE FROM corrections", "UPDATE period_events SET person = 'x'", "DELETE FROM period_events",
		"TRUNCATE entries", "DROP TABLE entries",
	} {
		if _, err := f.db.Pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s was allowed", statement)
		}
	}
	f.mustBeWhole(t)
}

func TestCheckNamesWhatTheOwnerTamperedWith(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, statement string
		check, account  string
	}{
		{"a leg changed", `UPDATE entries SET legs = replace(legs::text, '"m": 100', '"m": 101')::jsonb WHERE key = 'a'`, "entry content", "320100.agency/310/1003"},
		{"both legs changed", `UPDATE entries SET legs = replace(legs::text, '100', '101')::jsonb WHERE key = 'a'`, "account balances", "320100.agency/310/4001"},
		{"a leg removed", `UPDATE entries SET legs = legs - 1 WHERE key = 'a'`, "entry balance", "320100.agency/310"},
		{"a summary changed", `UPDATE entries SET summary = 'x' WHERE key = 'b'`, "entry content", "320100.agency/310/5001.01"},
		{"an entry removed", `DELETE FROM entries WHERE key = 'a'`, "account lines", "320100.agency/310/1003"},
		{"an entry slipped in", `INSERT INTO entries SELECT '00000000-0000-0000-0000-000000000001', 'z', batch_id, business_date, period, kind, summary, source, attachments, preparer, reviewer, corrects, legs, digest FROM entries WHERE key = 'a'`, "sequence", ""},
		{"content and digest changed together", `UPDATE entries SET summary = 'x', digest = '\x00' WHERE key = 'b'`, "entry content", "320100.agency/310/5001.01"},
		{"a batch emptied", `UPDATE batches SET entries = entries[1:1] WHERE id = (SELECT batch_id FROM sealed WHERE first_position = 1)`, "sequence", ""},
		{"a batch removed", `DELETE FROM batches WHERE id = (SELECT batch_id FROM sealed WHERE first_position = 1)`, "account lines", "320100.agency/310/1003"},
		{"entry, digest and batch changed together", `WITH e AS (UPDATE entries SET summary = 'x', digest = sha256('x') WHERE key = 'c' RETURNING batch_id) UPDATE batches SET digests = sha256('x') FROM e WHERE id = e.batch_id`, "merkle tree", ""},
		{"a hash changed", `UPDATE tree_hashes SET hashes = sha256('x') WHERE first_index = 3`, "merkle tree", ""},
		{"hashes removed", `DELETE FROM tree_hashes WHERE first_index = 3`, "merkle tree", ""},
		{"hashes added", `INSERT INTO tree_hashes VALUES (100, sha256('x'))`, "merkle tree", ""},
		{"a batch moved", `UPDATE sealed SET first_position = 9 WHERE first_position = 3`, "sequence", ""},
		{"a voucher renumbered", `UPDATE vouchers SET number = 7 WHERE number = 2`, "voucher numbers", "320100.agency"},
		{"a voucher removed", `DELETE FROM vouchers WHERE number = 2`, "voucher numbers", "320100.agency"},
		{"a floor changed", `UPDATE floors SET balance_fen = balance_fen + 1`, "floors", "320100.agency/310/1003"},
		{"a balance changed", `UPDATE balances SET debit_fen = debit_fen + 1 WHERE subject = '1003'`, "account balances", "320100.agency/310/1003"},
		{"a balance removed", `DELETE FROM balances WHERE subject = '5001.01'`, "account balances", "320100.agency/310/5001.01"},
		{"a line changed", `UPDATE account_lines SET lines = replace(lines::text, ' 100,', ' 99,')::jsonb WHERE account = '320100.agency/310/1003'`, "account lines", "320100.agency/310/1003"},
		{"a block removed", `DELETE FROM account_lines WHERE account = '320100.agency/310/4001'`, "account lines", "320100.agency/310/4001"},
		{"an opening changed", `UPDATE account_lines SET opening_debit_fen = 1 WHERE account = '320100.agency/310/1003' AND first_position = 3`, "account lines", "320100.agency/310/1003"},
		{"turnover changed", `UPDATE account_months SET days = '{"15": [1, 1]}' WHERE account = '320100.agency/310/1003'`, "daily turnover", "320100.agency/310/1003"},
		{"a time of posting changed", `UPDATE sealed SET posted_until = posted_until + interval '1 second' WHERE first_position = 3`, "sequence", ""},
		{"a reservation changed", `UPDATE floors SET reserved_fen = 0`, "reservations", "320100.agency/310/1003"},
		{"a pending entry removed", `DELETE FROM pendings WHERE key = 'p'`, "reservations", "320100.agency/310/1003"},
		{"a pending entry changed", `UPDATE pendings SET entry = jsonb_set(entry, '{summary}', '"x"') WHERE key = 'p'`, "reservations", "320100.agency/310/5001.01"},
		{"a pending entry said to be finished", `UPDATE pendings SET state = 'finished' WHERE key = 'p'`, "reservations", ""},
		{"a link removed", `DELETE FROM corrections`, "corrections", ""},
		{"a link added", `INSERT INTO corrections SELECT original, original, 1, NULL FROM corrections`, "corrections", ""},
		{"a reversed amount changed", `UPDATE corrections SET amounts = '[6, 6]'`, "corrections", "320100.agency/310/5001.01"},
		{"more reversed than there was", `UPDATE corrections SET amounts = '[31, 31]'`, "corrections", "320100.agency/310/5001.01"},
		{"a period's state changed", `UPDATE periods SET state = 'open' WHERE book = '320100.agency'`, "period history", "320100.agency"},
		{"a period added", `INSERT INTO periods VALUES ('320100.agency', '2025-09', 'closed')`, "period history", "320100.agency"},
		{"an event removed", `DELETE FROM period_events WHERE book = '320100.agency' AND number = 2`, "period history", "320100.agency"},
		{"a closing dated back", `UPDATE period_events SET position = 1 WHERE number = 3`, "period history", "320100.agency/310/5001.01"},
		{"turnover removed", `DELETE FROM account_months WHERE account = '320100.agency/310/1003'`, "daily turnover", "320100.agency/310/1003"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.post(t, income("a", 100), spend("b", 30))
			f.catchUp(t)
			f.post(t, income("c", 5))
			f.pend(t, spend("p", 10))
			f.reverse(t, "r", "b", 5, 5)
			f.beginClose(t, "2025-01")
			f.closePeriod(t, "2025-01")
			f.mustBeWhole(t)
			owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer owner.Close()
			tag, err := owner.Pool.Exec(t.Context(), c.statement)
			if err != nil || tag.RowsAffected() == 0 {
				t.Fatalf("%v %v", tag, err)
			}
			report, err := f.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range report.Findings {
				if finding.Check == c.check && strings.HasPrefix(finding.Account, c.account) {
					return
				}
			}
			t.Errorf("no finding of %q on %q: %+v", c.check, c.account, report.Findings)
		})
	}
}

func TestCheckCountsWhatItLookedAt(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100), spend("b", 30), accepted("c", "H1", 9))
	f.pend(t, spend("p", 10))
	f.reverse(t, "r", "b", 1, 1)
	f.beginClose(t, "2025-01")
	f.closePeriod(t, "2025-01")
	report := f.mustBeWhole(t)
	if report.Entries != 4 || report.Postings != 8 || report.Position != 4 {
		t.Errorf("%+v", report)
	}
	want := map[string]int64{"entry content": 4, "entry balance": 4, "voucher numbers": 3, "account lines": 8, "merkle tree": 4, "account balances": 5, "floors": 1, "sequence": 2, "daily turnover": 5, "periods": 4, "checkpoints": 0, "reservations": 1, "corrections": 1, "period history": 30}
	for _, c := range report.Checks {
		if c.Items != want[c.Name] {
			t.Errorf("%s looked at %d items, want %d", c.Name, c.Items, want[c.Name])
		}
	}
	if len(report.Checks) != len(want) {
		t.Errorf("%d checks", len(report.Checks))
	}
}
