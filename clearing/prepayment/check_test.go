package prepayment_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// findings are those of the check whose message has the text.
func (f fixture) findings(t testing.TB, text string) int {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.book, prepayment.Check)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, finding := range report.Findings {
		if finding.Check == "moves of prepayments" && strings.Contains(finding.Message, text) {
			found++
		}
	}
	return found
}

func TestCheckTiesMovesToTheJournal(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	if n := f.findings(t, ""); n != 0 {
		t.Fatalf("%d findings in sound books", n)
	}
	owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	tamper := func(sql string, args ...any) {
		t.Helper()
		if tag, err := owner.Pool.Exec(t.Context(), sql, args...); err != nil || tag.RowsAffected() == 0 {
			t.Fatal(tag, err)
		}
	}
	tamper("UPDATE prepayment_moves SET amounts_fen = '{7401}'::int8[] WHERE notice = '2025/cross-province/320100/pay'")
	if f.findings(t, "74.01") != 1 {
		t.Error("a changed amount is not found")
	}
	tamper("UPDATE prepayment_moves SET entry = $1::uuid WHERE notice = '2025/cross-province/320500/pay'", uuid.New())
	if f.findings(t, "has no entry") != 1 || f.findings(t, "has no move") != 1 {
		t.Error("a lost entry is not found")
	}
	forwarded := f.notice(t, "2025/cross-province/310000/receive").Moves[0].Entry
	if _, err := f.journal.Reverse(t.Context(), ledger.Reversal{Key: "undo", Of: forwarded, Date: day("2025-03-03"), Period: "2025-03", Summary: "冲销", Preparer: "clerk"}); err != nil {
		t.Fatal(err)
	}
	if f.findings(t, "still counts") != 1 {
		t.Error("an entry that was taken back is not found")
	}
}
