package ledger_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fundledger/internal/postgres"
	"fundledger/ledger"
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
		"UPDATE change_keys SET digest = ''", "DELETE FROM change_keys", "TRUNCATE entries", "DROP TABLE entries",
	} {
		if _, err := f.db.Pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s was allowed", statement)
		}
	}
	f.mustBeWhole(t)
}

// tampering is a change by somebody with all rights on the database, the check
// that names it there, with the beginning of an account, and the one that
// names it in a bundle made afterwards.
type tampering struct {
	name, statement string
	check, account  string
	inBundle        string // empty: the bundle does not carry it and holds
}

// refused says that no bundle can be made.
const refused = "refused"

const (
	firstBatch = "(SELECT batch_id FROM sealed WHERE first_position = 1)"
	cash       = "320100.agency/310/1003"
	spent      = "320100.agency/310/5001.01"
	sha        = "sha256('x')"
)

var tamperings = map[string][]tampering{
	"entries": {
		{"a leg changed", `UPDATE entries SET legs = replace(legs::text, '"m": 100', '"m": 101')::jsonb WHERE key = 'a'`, "entry content", cash, "entry content"},
		{"both legs changed", `UPDATE entries SET legs = replace(legs::text, '100', '101')::jsonb WHERE key = 'a'`, "account balances", "320100.agency/310/4001", "account balances"},
		{"a leg removed", `UPDATE entries SET legs = legs - 1 WHERE key = 'a'`, "entry balance", "320100.agency/310", "entry balance"},
		{"a floor's version changed", `UPDATE entries SET legs = replace(legs::text, '"v": 2', '"v": 1')::jsonb WHERE key = 'c'`, "floors", cash, "floors"},
		{"a floor's version removed", `UPDATE entries SET legs = replace(legs::text, '"v": 2', '"v": 0')::jsonb WHERE key = 'c'`, "floors", cash, "floors"},
		{"a summary changed", `UPDATE entries SET summary = 'x' WHERE key = 'b'`, "entry content", spent, "entry content"},
		{"a digest changed", `UPDATE entries SET digest = ` + sha + ` WHERE key = 'b'`, "entry content", spent, "entry content"},
		{"a key changed", `UPDATE entries SET key = 'z' WHERE key = 'b'`, "entry content", "", "entry ids"},
		{"a period changed to none", `UPDATE entries SET period = '' WHERE key = 'r'`, "corrections", "", "entry content"},
		{"content and digest changed together", `UPDATE entries SET summary = 'x', digest = '\x00' WHERE key = 'b'`, "entry content", spent, "entry content"},
		{"entry, digest and batch changed together", `WITH e AS (UPDATE entries SET summary = 'x', digest = ` + sha + ` WHERE key = 'c' RETURNING batch_id) UPDATE batches SET digests = ` + sha + ` FROM e WHERE id = e.batch_id`, "merkle tree", "", "checkpoints"},
		{"an entry removed", `DELETE FROM entries WHERE key = 'a'`, "account lines", cash, "sequence"},
		{"an entry slipped in", `INSERT INTO entries SELECT '00000000-0000-0000-0000-000000000001', 'z', batch_id, business_date, period, kind, summary, source, attachments, preparer, reviewer, corrects, legs, digest FROM entries WHERE key = 'a'`, "sequence", "", ""},
		{"a time of posting changed", `UPDATE entries SET posted_at = posted_at + interval '1 second' WHERE key = 'b'`, "sequence", "", "sequence"},
		{"a correction denied", `UPDATE entries SET corrects = NULL WHERE key = 'r'`, "corrections", "", "corrections"},
		{"a correction claimed", `UPDATE entries SET corrects = id WHERE key = 'c'`, "corrections", "", "corrections"},
		{"a batch exchanged", `UPDATE entries SET batch_id = gen_random_uuid() WHERE key = 'b'`, "floors", cash, "floors"},
	},
	"batches": {
		{"a batch emptied", `UPDATE batches SET entries = entries[1:1] WHERE id = ` + firstBatch, "sequence", "", "sequence"},
		{"entries exchanged", `UPDATE batches SET entries = ARRAY[entries[2], entries[1]] WHERE id = ` + firstBatch, "entry content", "", "floors"},
		{"digests changed", `UPDATE batches SET digests = ` + sha + ` WHERE id = ` + firstBatch, "entry content", "", ""},
		{"a time of posting changed", `UPDATE batches SET posted_at = posted_at - interval '1 second' WHERE id = ` + firstBatch, "sequence", "", "sequence"},
		{"a batch removed", `DELETE FROM batches WHERE id = ` + firstBatch, "account lines", cash, "sequence"},
		{"a waiting batch emptied", `UPDATE batches SET entries = '{}' WHERE id = (SELECT batch_id FROM inbox)`, "sequence", "", "floors"},
		{"versions of a waiting batch removed", `UPDATE batches SET floors = '{}' WHERE id = (SELECT batch_id FROM inbox)`, "floors", "320200.agency/310/1003", "floors"},
	},
	"inbox": {
		{"a waiting batch forgotten", `DELETE FROM inbox`, "sequence", "", "floors"},
		{"a sealed batch waiting again", `INSERT INTO inbox SELECT batch_id FROM sealed WHERE first_position = 1`, "sequence", "", "floors"},
	},
	"sealed": {
		{"a batch moved", `UPDATE sealed SET first_position = 90 WHERE first_position = 3`, "sequence", "", "sequence"},
		{"a number of entries changed", `UPDATE sealed SET entries = 3 WHERE first_position = 3`, "sequence", "", ""},
		{"a place removed", `DELETE FROM sealed WHERE first_position = 3`, "sequence", "", "sequence"},
		{"a time of posting changed", `UPDATE sealed SET posted_until = posted_until + interval '1 second' WHERE first_position = 3`, "sequence", "", "sequence"},
	},
	"vouchers": {
		{"a voucher renumbered", `UPDATE vouchers SET number = 7 WHERE number = 2`, "voucher numbers", "320100.agency", "voucher numbers"},
		{"a voucher removed", `DELETE FROM vouchers WHERE number = 2`, "voucher numbers", "320100.agency", "voucher numbers"},
		{"a voucher added", `INSERT INTO vouchers VALUES ('320500.agency', '2025-01', 1, gen_random_uuid(), 1)`, "voucher numbers", "320500.agency", ""},
		{"a voucher of another entry", `UPDATE vouchers SET entry_id = gen_random_uuid() WHERE number = 2`, "voucher numbers", "320100.agency", "voucher numbers"},
		{"a voucher's position changed", `UPDATE vouchers SET position = 1 WHERE number = 2`, "voucher numbers", "320100.agency", ""},
	},
	"corrections": {
		{"a link removed", `DELETE FROM corrections WHERE version = 1`, "corrections", "", "corrections"},
		{"a link added", `INSERT INTO corrections SELECT original, original, 3, NULL FROM corrections WHERE version = 1`, "corrections", "", "corrections"},
		{"a reversed amount changed", `UPDATE corrections SET amounts = '[6, 6]' WHERE version = 1`, "corrections", spent, "corrections"},
		{"more reversed than there was", `UPDATE corrections SET amounts = '[31, 31]' WHERE version = 1`, "corrections", spent, "corrections"},
		{"amounts removed", `UPDATE corrections SET amounts = NULL WHERE version = 1`, "corrections", spent, "corrections"},
		{"amounts that cannot be read", `UPDATE corrections SET amounts = '{}' WHERE version = 1`, "corrections", spent, "corrections"},
		{"another original", `UPDATE corrections SET original = correction WHERE version = 1`, "corrections", "", "corrections"},
		{"versions exchanged", `UPDATE corrections SET version = 3 - version`, "corrections", "", "corrections"},
	},
	"floors": {
		{"a balance changed", `UPDATE floors SET balance_fen = balance_fen + 1`, "floors", cash, "floors"},
		{"a version changed", `UPDATE floors SET version = version + 1`, "floors", cash, "floors"},
		{"a floor removed", `DELETE FROM floors WHERE account = '` + cash + `'`, "floors", cash, "floors"},
		{"a floor added", `INSERT INTO floors VALUES ('320200.agency/310/1002', 1, 0, 1)`, "floors", "320200.agency/310/1002", "floors"},
		{"a reservation released", `UPDATE floors SET reserved_fen = 0`, "reservations", cash, "reservations"},
		{"a reservation made up", `UPDATE floors SET reserved_fen = 1 WHERE account = '320200.agency/310/1003'`, "reservations", "320200.agency/310/1003", "reservations"},
	},
	"heads": {
		{"the end of the sequence moved back", `UPDATE heads SET position = 3 WHERE name = 'sealed'`, "sequence", "", ""},
		{"the projection moved back", `UPDATE heads SET position = 3 WHERE name = 'projected'`, "account balances", "", "account balances"},
		{"the projection moved on", `UPDATE heads SET position = 99 WHERE name = 'projected'`, "sequence", "", refused},
	},
	"balances": {
		{"a debit changed", `UPDATE balances SET debit_fen = debit_fen + 1 WHERE subject = '1003'`, "account balances", cash, "account balances"},
		{"a credit changed", `UPDATE balances SET credit_fen = credit_fen + 1 WHERE subject = '4001'`, "account balances", "320100.agency/310/4001", "account balances"},
		{"a balance removed", `DELETE FROM balances WHERE subject = '5001.01'`, "account balances", spent, "account balances"},
		{"a balance added", `INSERT INTO balances VALUES ('z', 'z', '', '', '', 1, 0, 0, 0)`, "account balances", "z", "account balances"},
	},
	"account_lines": {
		{"a line changed", `UPDATE account_lines SET lines = replace(lines::text, ' 100,', ' 99,')::jsonb WHERE account = '` + cash + `'`, "account lines", cash, ""},
		{"a block removed", `DELETE FROM account_lines WHERE account = '320100.agency/310/4001'`, "account lines", "320100.agency/310/4001", ""},
		{"an opening changed", `UPDATE account_lines SET opening_debit_fen = 1 WHERE account = '` + cash + `' AND first_position = 3`, "account lines", cash, ""},
	},
	"account_months": {
		{"turnover changed", `UPDATE account_months SET days = '{"15": [1, 1]}' WHERE account = '` + cash + `'`, "daily turnover", cash, ""},
		{"turnover removed", `DELETE FROM account_months WHERE account = '` + cash + `'`, "daily turnover", cash, ""},
	},
	"account_shifts": {
		{"a shift changed", `UPDATE account_shifts SET debit_fen = debit_fen + 1 WHERE account = '` + cash + `'`, "daily turnover", cash, ""},
		{"a shift removed", `DELETE FROM account_shifts WHERE account = '` + cash + `'`, "daily turnover", cash, ""},
		{"a shift added", `INSERT INTO account_shifts VALUES ('` + cash + `', '2025-01', '2025-03', 1, 0, 1, 1)`, "daily turnover", cash, ""},
	},
	"periods": {
		{"a state changed", `UPDATE periods SET state = 'open' WHERE book = '320100.agency'`, "period history", "320100.agency", "period history"},
		{"a period added", `INSERT INTO periods VALUES ('320100.agency', '2025-09', 'closed')`, "period history", "320100.agency", "period history"},
		{"a period removed", `DELETE FROM periods WHERE book = '320100.agency'`, "period history", "320100.agency", "period history"},
		{"the opening of the books moved", `UPDATE periods SET month = '2025-02'`, "periods", "320100.agency/310/", "periods"},
	},
	"period_events": {
		{"an event removed", `DELETE FROM period_events WHERE book = '320100.agency' AND number = 2`, "period history", "320100.agency", "period history"},
		{"an event added", `INSERT INTO period_events VALUES ('320100.agency', '2025-01', 4, 'reopened', 'chief', 'why', 5)`, "period history", "320100.agency", "period history"},
		{"a closing dated back", `UPDATE period_events SET position = 1 WHERE number = 3`, "period history", spent, "period history"},
		{"a closing beyond the end", `UPDATE period_events SET position = 99 WHERE number = 3`, "period history", "", "period history"},
		{"a month reopened by who closed it", `WITH p AS (UPDATE periods SET state = 'reopened' WHERE book = '320100.agency' RETURNING book) INSERT INTO period_events SELECT book, '2025-01', 4, 'reopened', 'closer', 'why', 6 FROM p`, "period history", "320100.agency", "period history"},
		{"an override by who began to close", `UPDATE period_events SET reason = 'why' WHERE number = 3`, "period history", "320100.agency", "period history"},
		{"nobody has closed", `UPDATE period_events SET person = '' WHERE number = 3`, "period history", "320100.agency", "period history"},
	},
	"pendings": {
		{"an open one removed", `DELETE FROM pendings WHERE key = 'p'`, "reservations", cash, "reservations"},
		{"an entry changed", `UPDATE pendings SET entry = jsonb_set(entry, '{summary}', '"x"') WHERE key = 'p'`, "reservations", spent, "reservations"},
		{"an entry that cannot be read", `UPDATE pendings SET entry = '[]' WHERE key = 'p'`, "reservations", "", "reservations"},
		{"a key changed", `UPDATE pendings SET key = 'z' WHERE key = 'p'`, "reservations", "", "reservations"},
		{"a digest changed", `UPDATE pendings SET digest = ` + sha + ` WHERE key = 'p'`, "reservations", spent, "reservations"},
		{"less held", `UPDATE pendings SET holds = '{"` + cash + `": 9}' WHERE key = 'p'`, "reservations", spent, "reservations"},
		{"one said to be finished", `UPDATE pendings SET state = 'finished', decided_by = 'x', decided_at = now() WHERE key = 'p'`, "reservations", "", "reservations"},
		{"one said to be voided", `UPDATE pendings SET state = 'voided', decided_by = 'x', decided_at = now() WHERE key = 'p'`, "reservations", cash, "reservations"},
		{"one said to have expired", `UPDATE pendings SET state = 'expired', decided_at = now() WHERE key = 'p'`, "reservations", spent, "reservations"},
		{"another finished for", `UPDATE pendings SET entry = e.entry, digest = e.digest, holds = e.holds FROM pendings AS e WHERE e.key = 'p' AND pendings.key = 'q'`, "reservations", "", "reservations"},
		{"finished after its time", `UPDATE pendings SET expires_at = decided_at WHERE key = 'q'`, "reservations", spent, "reservations"},
		{"a state made up", `UPDATE pendings SET state = 'x' WHERE key = 'q'`, "reservations", spent, "reservations"},
	},
	"tree_hashes": {
		{"a hash changed", `UPDATE tree_hashes SET hashes = overlay(hashes placing ` + sha + ` from 97) WHERE first_index = 3`, "merkle tree", "", "merkle tree"},
		{"a hash for several", `UPDATE tree_hashes SET hashes = ` + sha + ` WHERE first_index = 3`, "merkle tree", "", refused},
		{"hashes removed", `DELETE FROM tree_hashes WHERE first_index = 3`, "merkle tree", "", refused},
		{"hashes added", `INSERT INTO tree_hashes VALUES (100, ` + sha + `)`, "merkle tree", "", ""},
	},
	"checkpoints": {
		{"a note edited", `UPDATE checkpoints SET note = replace(note, E'\n6\n', E'\n5\n')`, "checkpoints", "", "checkpoints"},
		{"a note that is none", `UPDATE checkpoints SET note = 'x'`, "checkpoints", "", "checkpoints"},
		{"a position changed", `UPDATE checkpoints SET position = 99`, "checkpoints", "", "checkpoints"},
		{"checkpoints removed", `DELETE FROM checkpoints`, "checkpoints", "", "checkpoints"},
	},
}

func TestVerifyNamesWhatTheOwnerTamperedWith(t *testing.T) {
	t.Parallel()
	for table, cases := range tamperings {
		for _, c := range cases {
			t.Run(table+": "+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t)
			})
		}
	}
}

func (c tampering) run(t *testing.T) {
	f := open(t)
	signer, key := witness(t, "province")
	f.post(t, income("a", 100), spend("b", 30))
	f.catchUp(t)
	f.post(t, income("c", 5))
	f.pend(t, spend("p", 10))
	f.pend(t, spend("q", 2))
	if _, err := f.Finish(t.Context(), ledger.Finishing{Key: "q", By: "finisher"}); err != nil {
		t.Fatal(err)
	}
	f.reverse(t, "r", "b", 5, 5)
	late := taking("s", "b", 1, 1)
	late.Period = "2025-02"
	if _, err := f.Reverse(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	f.beginClose(t, "2025-01")
	f.closePeriod(t, "2025-01")
	f.mustBeWhole(t)
	if _, err := f.Sign(t.Context(), signer); err != nil {
		t.Fatal(err)
	}
	f.post(t, entry("w", debit("320200.agency/310/1003", 8), credit("320200.agency/310/4001", 8))) // waits
	owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	tag, err := owner.Pool.Exec(t.Context(), c.statement)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%v %v", tag, err)
	}
	report, err := f.Verify(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	mustName(t, report, c.check, c.account)
	var bundle bytes.Buffer
	if _, err := f.ExportBundle(t.Context(), &bundle, nil); (err != nil) != (c.inBundle == refused) {
		t.Fatal(err)
	} else if err != nil {
		return
	}
	switch report, err = ledger.VerifyBundle(t.Context(), &bundle, key); {
	case err != nil:
		t.Fatal(err)
	case c.inBundle != "":
		mustName(t, report, c.inBundle, "")
	case !report.OK():
		t.Errorf("the bundle shows what it is not said to: %+v", report.Findings)
	}
}

func mustName(t *testing.T, report *ledger.CheckReport, check, account string) {
	t.Helper()
	for _, finding := range report.Findings {
		if finding.Check == check && strings.HasPrefix(finding.Account, account) {
			return
		}
	}
	t.Errorf("no finding of %q on %q: %+v", check, account, report.Findings)
}

// What is new in the database must be tampered with, too. A lease and the key of a
// change prove nothing of the books: one saves work, the other tells a request that
// comes again from a new one.
func TestEveryTableOfTheJournalIsTamperedWith(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../internal/postgres/migrations/001*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	table := regexp.MustCompile(`CREATE TABLE IF NOT EXISTS (\w+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range table.FindAllStringSubmatch(string(text), -1) {
			if found[1] != "leases" && found[1] != "change_keys" && len(tamperings[found[1]]) == 0 {
				t.Errorf("%s: nobody tampers with table %s", file, found[1])
			}
		}
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
