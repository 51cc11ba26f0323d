package prepayment_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestMain(m *testing.M) { devdb.Main(m) }

const (
	home     = "320000"
	nanjing  = "320100"
	wuxi     = "320200"
	suzhou   = "320500"
	beijing  = "110000"
	shanghai = "310000"
)

// fixture is a deployment with open books and money in every city.
type fixture struct {
	*prepayment.Prepayments
	db       *postgres.DB
	book     *accounts.Rulebook
	journal  *ledger.Journal
	clearing *clearing.Clearing
	bills    *int
}

func open(t testing.TB) fixture {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	db := devdb.Test(t)
	j := ledger.New(db, book)
	if _, err := j.OpenBooks(t.Context(), "2024-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	f := fixture{prepayment.New(db, j, book), db, book, j, clearing.New(db, j, book), new(int)}
	for _, city := range book.Regions.Of(accounts.City) {
		f.premium(t, city.Code, 10_000_000_00)
	}
	return f
}

func (f fixture) premium(t testing.TB, region string, amount accounts.Fen) {
	t.Helper()
	on := civil.Date{Year: 2024, Month: 1, Day: 2}
	e := ledger.Entry{Key: "premium/" + region, Date: on, Period: "2024-01", Kind: "premium.received", Summary: "保费", Preparer: "test"}
	for _, fund := range f.book.Funds {
		lines, err := ledger.Draft(f.book, ledger.Facts{Event: e.Kind, Date: on, Fund: fund.Code, Regions: map[string]string{"H": region},
			Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}})
		if err != nil {
			t.Fatal(err)
		}
		e.Postings = append(e.Postings, lines...)
	}
	results, err := f.journal.Post(t.Context(), e)
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
}

func day(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// basis is a figure of last year that is not 0.00.
type basis struct {
	name, fund, party, period string
	amount                    accounts.Fen
}

// bases is a file with the figures, and 0.00 for all others.
func (f fixture) bases(t testing.TB, year int, given ...basis) *clearing.Bases {
	t.Helper()
	last := fmt.Sprint(year - 1)
	amounts := map[basis]accounts.Fen{}
	for _, fund := range []string{"310", "390"} {
		for _, city := range f.book.Regions.Of(accounts.City) {
			for _, name := range []string{"in_province_payable", "in_province_receivable", "cross_province_payable"} {
				amounts[basis{name, fund, city.Code, last, 0}] = 0
			}
		}
		for _, province := range []string{shanghai, beijing} {
			for _, month := range []string{"-10", "-11", "-12"} {
				amounts[basis{"cross_province_settled", fund, province, last + month, 0}] = 0
			}
		}
	}
	for _, b := range given {
		amount := b.amount
		b.amount = 0
		amounts[b] = amount
	}
	var file bytes.Buffer
	fmt.Fprintln(&file, "basis\tfund\tregion\tcounterparty\tperiod\tamount")
	for b, amount := range amounts {
		region, counterparty := b.party, "null"
		if b.name == "cross_province_settled" {
			region, counterparty = "null", b.party
		}
		fmt.Fprintln(&file, strings.Join([]string{b.name, b.fund, region, counterparty, b.period, amount.String()}, "\t"))
	}
	read, err := clearing.ReadBases(f.book, year, "bases.tsv", &file)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// yearly are bases by which Nanjing prepays 20.00 in the province, and 100.00 lie
// at Shanghai, 75.00 of Nanjing and 25.00 of Suzhou; all in fund 310.
func (f fixture) yearly(t testing.TB, year int) *clearing.Bases {
	last := fmt.Sprint(year - 1)
	return f.bases(t, year, basis{"in_province_payable", "310", nanjing, last, 150_00}, basis{"in_province_receivable", "310", nanjing, last, 50_00},
		basis{"in_province_payable", "310", suzhou, last, 50_00}, basis{"in_province_receivable", "310", suzhou, last, 150_00},
		basis{"cross_province_payable", "310", nanjing, last, 300_00}, basis{"cross_province_payable", "310", suzhou, last, 100_00},
		basis{"cross_province_settled", "310", shanghai, last + "-10", 40_00}, basis{"cross_province_settled", "310", shanghai, last + "-11", 50_00},
		basis{"cross_province_settled", "310", shanghai, last + "-12", 60_00})
}

// plan makes the plan of 2025 for a scheme by the yearly bases.
func (f fixture) plan(t testing.TB, scheme prepayment.Scheme) *prepayment.Plan {
	t.Helper()
	plan, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: scheme, File: f.yearly(t, 2025), By: "clerk"})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (f fixture) move(notice, date string, amounts ...accounts.Fen) prepayment.Move {
	*f.bills++
	m := prepayment.Move{Notice: notice, Date: day(date), Reference: fmt.Sprintf("bank-%d", *f.bills), By: "clerk"}
	for _, amount := range amounts {
		m.Lines = append(m.Lines, clearing.Line{Fund: "310", Amount: amount})
	}
	return m
}

// moved records that money of fund 310 moved: all that is open, or an amount.
func (f fixture) moved(t testing.TB, notice, date string, amounts ...accounts.Fen) *prepayment.Moved {
	t.Helper()
	m, err := f.Record(t.Context(), f.move(notice, date, amounts...))
	if err != nil {
		t.Fatalf("%s: %v", notice, err)
	}
	return m
}

// refuse expects that the move is refused with the kind, and the texts in the message.
func (f fixture) refuse(t testing.TB, m prepayment.Move, kind fault.Kind, texts ...string) {
	t.Helper()
	_, err := f.Record(t.Context(), m)
	mention(t, err, kind, texts...)
}

func mention(t testing.TB, err error, kind fault.Kind, texts ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("want %s, got %s: %v", kind, fault.KindOf(err), err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

// balance is debits less credits of an account and its sub-accounts.
func (f fixture) balance(t testing.TB, account string) (sum accounts.Fen) {
	t.Helper()
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	balances, _, err := f.journal.Balances(t.Context(), ledger.Filter(a), ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		sum += b.Balance
	}
	return sum
}

func (f fixture) mustBe(t testing.TB, account string, want accounts.Fen) {
	t.Helper()
	if got := f.balance(t, account); got != want {
		t.Errorf("%s is %s, want %s", account, got, want)
	}
}

// mustBeWhole proves the journal and the invariants across the books.
func (f fixture) mustBeWhole(t testing.TB) {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.book, prepayment.Check)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check: %+v", finding)
	}
}

var columns = []string{"setl_id", "mdtrt_id", "psn_no", "insutype", "insu_admdvs", "mdtrtarea_admvs", "fixmedins_code", "clr_type", "med_type",
	"begndate", "enddate", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay",
	"maf_pay", "oth_pay", "acct_pay", "psn_cash_pay", "refd_setl_flag", "orig_setl_id"}

// bill is a settlement in fund 310.
type bill struct {
	insured, treating string
	amount            accounts.Fen
}

// settle imports the bills of a month as all three sides have them, and posts them.
func (f fixture) settle(t testing.TB, month accounts.Month, bills ...bill) {
	t.Helper()
	var file bytes.Buffer
	fmt.Fprintln(&file, strings.Join(columns, "\t"))
	for _, b := range bills {
		*f.bills++
		id, on, amount := fmt.Sprintf("A%06d", *f.bills), month.First().AddDays(9).String(), b.amount.String()
		fmt.Fprintln(&file, strings.Join([]string{id, "S" + id, "P26a4f69d17d3", "310", b.insured, b.treating, "H" + b.treating + "00001", "21", "21",
			on, on, on + "T10:00:00+08:00", amount, amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0", "null"}, "\t"))
	}
	settlements := settlement.New(f.db, f.journal, f.book)
	name := fmt.Sprintf("%s-%d.tsv", month, *f.bills)
	for _, side := range settlement.Sides() {
		files := fstest.MapFS{name: {Data: file.Bytes()}}
		if report, err := settlements.Import(t.Context(), side, settlement.FSFile(files, name), settlement.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err, report)
		}
	}
	if _, err := settlements.Reconcile(t.Context(), month, settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
}

// cleared freezes the runs of a month.
func (f fixture) cleared(t testing.TB, month accounts.Month) {
	t.Helper()
	if _, err := f.clearing.Clear(t.Context(), month, civil.Date{}); err != nil {
		t.Fatal(err)
	}
}
