package clearing_test

import (
	"encoding/json"
	"os"
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/settlement"
)

// importSample loads the sample month and posts what agrees.
func (f fixture) importSample(t testing.TB) {
	t.Helper()
	for _, side := range settlement.Sides() {
		if _, err := f.settlements.Import(t.Context(), side, settlement.FSFile(os.DirFS(sampleMonth), string(side)+".tsv"), settlement.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.settlements.Reconcile(t.Context(), "2025-01", settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
}

// The sample month from its files to the last payment: partial payments,
// advances out of the pools, refills, and every account that clearing passes
// through at zero in the end.
func TestSampleMonthIsClearedPaidAndChecked(t *testing.T) {
	f := open(t)
	f.importSample(t)
	f.clear(t, "2025-01")
	documents, err := f.Documents(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	sameAsExpected(t, documents)
	f.mustBeWhole(t, false)

	f.event(t, "prepayment.paid.in_province", map[string]string{"I": suzhou, "P": home}, 500_000_00)
	for _, province := range documents[2].Notices {
		if province.Direction == clearing.Pay {
			f.event(t, "prepayment.received.cross", map[string]string{"P": home, "X": province.Party}, 100_000_00)
		}
	}
	// Creditors are paid half in advance, as far as the pools reach.
	refused := 0
	for _, d := range documents {
		for _, n := range d.Notices {
			var lines []clearing.Line
			for _, line := range n.Lines {
				if line.Amount > 1 {
					lines = append(lines, clearing.Line{Fund: line.Fund, Amount: line.Amount / 2})
				}
			}
			if n.Direction != clearing.Receive || len(lines) == 0 {
				continue
			}
			if _, err := f.Remit(t.Context(), f.payment(n.ID, lines...)); err != nil {
				mention(t, err, fault.Insufficient, n.ID)
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("no province was refused money that had not come")
	}
	f.mustBeWhole(t, false)
	for _, d := range documents {
		for _, n := range d.Notices {
			if n.Direction == clearing.Pay {
				f.pay(t, n.ID, clearing.Line{Fund: n.Lines[0].Fund, Amount: (n.Lines[0].Amount + 2) / 3})
			}
		}
	}
	f.mustBeWhole(t, false)
	if _, err := f.RemitAll(t.Context(), "2025-01", small2025, "rest"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}

func sameAsExpected(t *testing.T, documents []clearing.Documents) {
	t.Helper()
	var want struct {
		Net []struct {
			City, Fund               string
			Payable, Receivable, Net accounts.Fen
		} `json:"in_province_net"`
	}
	if err := json.Unmarshal(read(t, sampleMonth+"expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	rows := documents[0].Balance.Rows
	if len(rows) != len(want.Net) {
		t.Fatalf("%d rows, want %d", len(rows), len(want.Net))
	}
	for i, w := range want.Net {
		if r := rows[i]; r.City != w.City || r.Fund != w.Fund || r.Payable != w.Payable || r.Receivable != w.Receivable || r.Net != w.Net {
			t.Errorf("row %d is %+v, want %+v", i, r, w)
		}
	}
	if documents[0].Balance.Total.Net != 0 || documents[0].Balance.Total.Pays != documents[0].Balance.Total.Gets {
		t.Errorf("the total is %+v", documents[0].Balance.Total)
	}
}
