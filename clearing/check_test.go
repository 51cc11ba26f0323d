package clearing_test

import (
	"strings"
	"testing"

	"fundledger/internal/postgres"
)

// tampered runs the statement as the owner of the database, on a paid month,
// and returns what the check finds.
func tampered(t *testing.T, statement string) string {
	t.Helper()
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	f.pay(t, nanjingPays, in310(40_00))
	f.mustBeWhole(t, false)
	owner, err := postgres.OpenOwner(t.Context(), f.db.Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	tag, err := owner.Pool.Exec(t.Context(), statement)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v rows, %v", statement, tag.RowsAffected(), err)
	}
	report := f.check(t)
	if report.OK() {
		t.Fatalf("nothing was found after %s", statement)
	}
	var found []string
	for _, finding := range report.Findings {
		found = append(found, finding.Check+": "+finding.Account+": "+finding.Message)
	}
	return strings.Join(found, "\n")
}

func TestCheckFindsWhatTheOwnerChanged(t *testing.T) {
	for name, c := range map[string]struct{ statement, want string }{
		"an amount in the journal": {
			`UPDATE entries SET legs = replace(legs::text, '4000', '4001')::jsonb WHERE key LIKE 'remit/%'`,
			"320100.agency/310/1003"},
		"a pair of lines that still balance": {
			`UPDATE entries SET legs = replace(legs::text, '320100.agency/310/9101.02/320200', '320100.agency/310/9101.02/320500')::jsonb WHERE key LIKE 'remit/%'`,
			"clearing runs: 320100.agency/310/9101.02/320200"},
		"an obligation moved to another city": {
			`UPDATE entries SET legs = replace(legs::text, '320200.agency/310/9001', '320500.agency/310/9001')::jsonb WHERE key LIKE 'clear/%/320100/320200'`,
			"obligation chain: 320200.agency/310/9001"},
		"an entry of a remittance": {
			`DELETE FROM entries WHERE key LIKE 'remit/%'`, "names an entry that the journal lacks"},
		"the paid amount of a notice": {
			`UPDATE notice_lines SET paid_fen = paid_fen + 1 WHERE paid_fen > 0`, "counts 0.01 more as paid than its remittances"},
		"the amount of a notice": {
			`UPDATE notice_lines SET amount_fen = amount_fen + 1 WHERE paid_fen > 0`, "the run's shares come to -0.01 more"},
		"the holdings": {
			`UPDATE holdings SET held_fen = held_fen - 1 WHERE held_fen > 0`, "clearing runs: 320000.agency/310/2001.02/320100"},
		"what is discharged of a share": {
			`UPDATE run_parts SET paid_insured_fen = 0 WHERE insured = '320100'`, "clearing runs: 320100.agency/310/9101.02"},
		"a remittance": {
			`DELETE FROM remittances`, "belongs to no recorded remittance"},
	} {
		t.Run(name, func(t *testing.T) {
			if found := tampered(t, c.statement); !strings.Contains(found, c.want) {
				t.Errorf("want %q in\n%s", c.want, found)
			}
		})
	}
}

func TestBooksThatDoNotAgreeAreNamed(t *testing.T) {
	f := open(t)
	f.event(t, "spending.funded", map[string]string{"H": nanjing}, 5_00)
	f.mustBeWhole(t, false)
	owner, err := postgres.OpenOwner(t.Context(), f.db.Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := owner.Pool.Exec(t.Context(), `UPDATE entries SET legs = replace(legs::text, '320100.finance/310/1001', '320100.finance/310/4001')::jsonb WHERE kind = 'spending.funded'`); err != nil {
		t.Fatal(err)
	}
	for _, finding := range f.check(t).Findings {
		if finding.Check == "agency against finance" && finding.Account == "320100.agency/310/1003" && strings.Contains(finding.Message, "differ by -5.00") {
			return
		}
	}
	t.Error("the finding does not name 320100.agency/310/1003")
}
