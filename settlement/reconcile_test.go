package settlement_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestEveryWayTheSidesCanDifferIsAnExceptionOfItsKind(t *testing.T) {
	t.Parallel()
	f := open(t)
	more := []string{"psn_cash_pay", "11.00", "medfee_sumamt", "101.00"}
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("AMT"), bill("FLD"), bill("NOTREAT"), bill("NOINS"), bill("OK"), bill("ONLYC"),
		bill("SUM"), refund("FLAG", "OK", "5.00"))))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(bill("AMT", more...), bill("FLD"), bill("NOCENTER"), bill("NOINS"), bill("OK"), bill("ONLYT"),
		bill("SUM", "medfee_sumamt", "1.00"), bill("FLAG"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("AMT"), bill("FLD", "fixmedins_code", "H32050000002"), bill("NOCENTER"), bill("NOTREAT"), bill("OK"),
		bill("FLAG"))))
	report := f.reconcile(t, "2025-01")
	want := map[string]string{
		"AMT":      "amount_differs medfee_sumamt (center 100.00, treating 101.00, insured 100.00), psn_cash_pay (center 10.00, treating 11.00, insured 10.00) differ; center c.tsv:2, treating t.tsv:2, insured i.tsv:2",
		"FLD":      "fields_differ fixmedins_code differ; center c.tsv:3, treating t.tsv:3, insured i.tsv:3",
		"NOTREAT":  "missing_treating center c.tsv:4, treating nothing, insured i.tsv:5",
		"NOCENTER": "missing_center center nothing, treating t.tsv:4, insured i.tsv:4",
		"NOINS":    "missing_insured center c.tsv:5, treating t.tsv:5, insured nothing",
		"ONLYC":    "missing_treating center c.tsv:7, treating nothing, insured nothing",
		"ONLYT":    "missing_center center nothing, treating t.tsv:7, insured nothing",
		"SUM":      "components_do_not_sum center c.tsv:8, treating t.tsv:8 rejected, insured nothing",
	}
	for _, e := range report.OpenExceptions {
		if e.SetlID == "FLAG" {
			if e.Kind != "amount_differs" || !strings.Contains(e.Detail, "refd_setl_flag (center 1, treating 0, insured 0)") {
				t.Error(e)
			}
			continue
		}
		equal(t, e.SetlID, e.Kind+" "+e.Detail, want[e.SetlID])
		delete(want, e.SetlID)
	}
	equal(t, "exceptions that were not found", len(want), 0)
	equal(t, "posted", report.Posted, 1)
	if len(report.TotalsDiffer) == 0 || report.TotalsDiffer[0].CenterSide == report.TotalsDiffer[0].TreatingSide {
		t.Errorf("totals: %+v", report.TotalsDiffer)
	}
	month, err := f.MonthReport(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records without the refund", month.Records, 9)
}

func TestASettlementIsPostedOverAllItsBooks(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv",
		bill("IN"), bill("OUT", "mdtrtarea_admvs", "310000"),
		bill("FROM", "insu_admdvs", "310000", "mdtrtarea_admvs", "320500"),
		bill("YEAR", "begndate", "2024-12-20", "enddate", "2024-12-31"),
		bill("CASH", "hifp_pay", "0.00", "cvlserv_pay", "0.00", "fund_pay_sumamt", "0.00", "acct_pay", "0.00", "psn_cash_pay", "100.00"))
	report := f.reconcile(t, "2025-01")
	equal(t, "posted", report.Posted, 5)
	f.mustBeWhole(t)
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]accounts.Fen{
		"320500.agency/310/9001.01/320100":    17000, // IN and YEAR, 统筹 and 个人账户
		"320500.agency/320/9001.01/320100":    1000,
		"320500.agency/310/9002/H32050000001": -25500,
		"320000.agency/310/9201.01/320100":    25500,
		"320000.agency/310/9202.01/310000":    -8500,
		"320100.agency/310/9101.01/310000":    -8500,
		"320100.agency/310/9101.01/320500":    -17000,
		"320000.agency/310/9201.01/310000":    8500,
		"320500.agency/310/9001.01/310000":    8500,
		"320000.agency/310/9202.01/320500":    -25500,
	} {
		a, err := accounts.ParseAccount(account)
		if err != nil {
			t.Fatal(err)
		}
		balances, _, err := f.journal.Balances(t.Context(), ledger.Filter(a), ledger.AsOf{})
		if err != nil || len(balances) != 1 {
			t.Errorf("%s: %v %v", account, balances, err)
			continue
		}
		equal(t, account, balances[0].Balance, want)
	}
	entries := f.entries(t)
	if _, posted := entries["settlement/CASH"]; posted || len(entries) != 4 {
		t.Errorf("a settlement that no fund pays has no entry: %v", entries)
	}
	var year int
	err := f.db.Pool.QueryRow(t.Context(), "SELECT DISTINCT benefit_year FROM postings WHERE key = 'settlement/YEAR' AND benefit_year IS NOT NULL").Scan(&year)
	if err != nil || year != 2024 {
		t.Error("benefit year", year, err)
	}
}

func TestAClosedPeriodMovesTheEntriesOfItsBooksOnly(t *testing.T) {
	t.Parallel()
	f := open(t)
	if _, err := f.db.Pool.Exec(t.Context(), "INSERT INTO periods VALUES ('320500.agency', '2025-02', 'closed')"); err != nil {
		t.Fatal(err)
	}
	feb := []string{"setl_time", "2025-02-10T09:00:00+08:00"}
	f.loadAll(t, "f.tsv", bill("A1", feb...), bill("A2", append(feb, "mdtrtarea_admvs", "320400")...))
	f.reconcile(t, "2025-02")
	for key, want := range map[string]string{"settlement/A1": "2025-03", "settlement/A2": "2025-02"} {
		var period string
		if err := f.db.Pool.QueryRow(t.Context(), "SELECT period FROM entries WHERE key = $1", key).Scan(&period); err != nil || period != want {
			t.Errorf("%s is posted in %q, want %s: %v", key, period, want, err)
		}
	}
}

func TestTheMonthIsThatOfTheSettlementInShanghai(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1", "setl_time", "2025-01-31T16:00:00Z"), bill("A2", "setl_time", "2025-01-31T15:59:59Z"))
	equal(t, "January", f.reconcile(t, "2025-01").Matched, 1)
	equal(t, "February", f.reconcile(t, "2025-02").Matched, 1)
}

func TestARecordIsReconciledInTheMonthOfTheCentre(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("A1", "setl_time", "2025-02-01T00:00:00+08:00"))))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(bill("A1"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("A1"))))
	equal(t, "exceptions of January", len(f.reconcile(t, "2025-01").OpenExceptions), 0)
	february := f.reconcile(t, "2025-02")
	if len(february.OpenExceptions) != 1 || february.OpenExceptions[0].Kind != "fields_differ" {
		t.Errorf("%+v", february.OpenExceptions)
	}
}

func TestAMonthMustBeImportedAndReconciledBeforeItIsReported(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.Reconcile(t.Context(), "2025-01", settlement.ReconcileOptions{})
	mustFail(t, err, fault.NotFound, "no imported file has a row of service month 2025-01")
	_, err = f.MonthReport(t.Context(), "2025-01")
	mustFail(t, err, fault.NotFound, "no imported file has a row of service month 2025-01")
	f.loadAll(t, "f.tsv", bill("A1"))
	_, err = f.MonthReport(t.Context(), "2025-01")
	mustFail(t, err, fault.Precondition, "run fundledger reconcile --month 2025-01")
	f.reconcile(t, "2025-01")
	if _, err = f.MonthReport(t.Context(), "2025-01"); err != nil {
		t.Error(err)
	}
	f.load(t, settlement.Center, file(t, "late.tsv", text(bill("A2"))))
	_, err = f.MonthReport(t.Context(), "2025-01")
	mustFail(t, err, fault.Precondition, "center file late.tsv has rows of 2025-01 and came after its last reconciliation: run fundledger reconcile --month 2025-01")
}

func TestRecordsOfAHalfLoadedFileAreLeftAlone(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"))
	b := &breaking{DB: f.db}
	b.left.Store(3) // begin, month, one batch
	half := text(bill("A1", "psn_cash_pay", "11.00", "medfee_sumamt", "101.00"), bill("A2"))
	_, err := settlement.New(b, f.journal, f.book).Import(t.Context(), settlement.Treating, file(t, "half.tsv", half), settlement.ImportOptions{})
	mustFail(t, err, fault.Unavailable, "the plug was pulled")
	report := f.reconcile(t, "2025-01")
	equal(t, "half loaded", strings.Join(report.HalfLoadedFiles, ","), "treating half.tsv")
	_, err = f.MonthReport(t.Context(), "2025-01")
	mustFail(t, err, fault.Precondition, "treating file half.tsv is half loaded: import it again")
	f.load(t, settlement.Treating, file(t, "half.tsv", half))
	equal(t, "half loaded", len(f.reconcile(t, "2025-01").HalfLoadedFiles), 0)
}

func TestARunTakesPostedSettlementsOnceAndCountsTheCarriedOver(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "jan.tsv", bill("A1"), bill("A2"), bill("X1", "mdtrtarea_admvs", "310000"), refund("R9", "GONE", "1.00"))
	f.loadAll(t, "feb.tsv", bill("B1", "setl_time", "2025-02-10T09:00:00+08:00"))
	f.reconcile(t, "2025-01")
	f.reconcile(t, "2025-02")
	var totals []settlement.RunTotal
	var late []settlement.CarriedOverRecord
	var open []settlement.ExceptionCount
	var taken []int64
	err := f.db.InTx(t.Context(), func(tx pgx.Tx) (err error) {
		taken = nil
		for range 2 {
			n, err := settlement.TagRun(t.Context(), tx, "2025-02/in-province", settlement.InProvince, "2025-02")
			if err != nil {
				return err
			}
			taken = append(taken, n)
		}
		if totals, err = settlement.RunTotals(t.Context(), tx, f.book, "2025-02/in-province", "2025-02"); err != nil {
			return err
		}
		if late, err = settlement.CarriedOver(t.Context(), tx, f.book, "2025-02/in-province", "2025-02"); err != nil {
			return err
		}
		open, err = settlement.OpenExceptions(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "taken", taken[0], 3)
	equal(t, "taken again", taken[1], 0)
	want := []settlement.RunTotal{
		{Insured: "320100", Treating: "320500", Fund: "310", Category: "11", BenefitYear: 2025, Records: 3, CarriedOver: 2, Amount: 16500},
		{Insured: "320100", Treating: "320500", Fund: "310", Category: "11", Part: "account", BenefitYear: 2025, Records: 3, CarriedOver: 2, Amount: 9000},
		{Insured: "320100", Treating: "320500", Fund: "320", Category: "11", BenefitYear: 2025, Records: 3, CarriedOver: 2, Amount: 1500},
	}
	if diff := firstDifference(indented(t, totals), indented(t, want)); diff != "" {
		t.Error(diff)
	}
	if len(late) != 2 || late[0] != (settlement.CarriedOverRecord{SetlID: "A1", ServiceMonth: "2025-01", Lateness: settlement.CarriedLate}) {
		t.Error(late)
	}
	if len(open) != 1 || open[0] != (settlement.ExceptionCount{Month: "2025-01", Kind: "refund_waiting", Count: 1}) {
		t.Error(open)
	}
}
