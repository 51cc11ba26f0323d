package clearing_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a deployment with open books and money in every city.
type fixture struct {
	*clearing.Clearing
	db          *postgres.DB
	book        *accounts.Rulebook
	journal     *ledger.Journal
	settlements *settlement.Settlements
	bills       *int
}

const home = "320000"

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
	f := fixture{clearing.New(db, j, book), db, book, j, settlement.New(db, j, book), new(int)}
	for _, city := range book.Regions.Of(accounts.City) {
		f.event(t, "premium.received", map[string]string{"H": city.Code}, 10_000_000_00)
	}
	return f
}

// event posts an event with one amount in every fund.
func (f fixture) event(t testing.TB, name string, regions map[string]string, amount accounts.Fen) {
	t.Helper()
	on := civil.Date{Year: 2024, Month: 1, Day: 2}
	e := ledger.Entry{Key: fmt.Sprint(name, regions), Date: on, Period: "2024-01", Kind: name, Summary: name, Preparer: "test"}
	for _, fund := range f.book.Funds {
		lines, err := ledger.Draft(f.book, ledger.Facts{Event: name, Date: on, Fund: fund.Code, Regions: regions,
			Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}})
		if err != nil {
			t.Fatal(err)
		}
		e.Postings = append(e.Postings, lines...)
	}
	f.post(t, e)
}

func (f fixture) post(t testing.TB, e ledger.Entry) {
	t.Helper()
	results, err := f.journal.Post(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Err != nil {
		t.Fatal(results[0].Err)
	}
}

// bill is one settlement, or the refund of one.
type bill struct {
	insured, treating string
	insutype, med     string
	pooled, account   accounts.Fen
	refundOf          string
	id                string
}

var columns = []string{"setl_id", "mdtrt_id", "psn_no", "insutype", "insu_admdvs", "mdtrtarea_admvs", "fixmedins_code", "clr_type", "med_type",
	"begndate", "enddate", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay",
	"maf_pay", "oth_pay", "acct_pay", "psn_cash_pay", "refd_setl_flag", "orig_setl_id"}

// settle imports the bills of a month as all three sides have them, posts
// them, and returns their ids.
func (f fixture) settle(t testing.TB, month accounts.Month, bills ...bill) []string {
	t.Helper()
	var file bytes.Buffer
	fmt.Fprintln(&file, strings.Join(columns, "\t"))
	ids := make([]string, len(bills))
	for i, b := range bills {
		*f.bills++
		if ids[i] = b.id; b.id == "" {
			ids[i] = fmt.Sprintf("A%06d", *f.bills)
		}
		flag, orig := "0", "null"
		if b.refundOf != "" {
			flag, orig = "1", b.refundOf
		}
		clr := map[string]string{"21": "21", "41": "41"}[b.med]
		if clr == "" {
			clr = "11"
		}
		day := month.First().AddDays(9)
		total := b.pooled + b.account
		fmt.Fprintln(&file, strings.Join([]string{ids[i], "S" + ids[i], "P26a4f69d17d3", b.insutype, b.insured, b.treating, "H" + b.treating + "00001", clr, b.med,
			day.String(), day.String(), day.String() + "T10:00:00+08:00", total.String(), b.pooled.String(), b.pooled.String(),
			"0.00", "0.00", "0.00", "0.00", "0.00", "0.00", b.account.String(), "0.00", flag, orig}, "\t"))
	}
	name := fmt.Sprintf("%s-%d.tsv", month, *f.bills)
	files := fstest.MapFS{name: {Data: file.Bytes()}}
	for _, side := range settlement.Sides() {
		report, err := f.settlements.Import(t.Context(), side, settlement.FSFile(files, name), settlement.ImportOptions{Strict: true})
		if err != nil {
			t.Fatal(err, report)
		}
	}
	if _, err := f.settlements.Reconcile(t.Context(), month, settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
	return ids
}

func (f fixture) clear(t testing.TB, month accounts.Month) []clearing.Run {
	t.Helper()
	runs, err := f.Clear(t.Context(), month, civil.Date{})
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// pay remits on a notice: all that is open, or the amounts of the funds.
func (f fixture) pay(t testing.TB, notice string, lines ...clearing.Line) *clearing.Remittance {
	t.Helper()
	r, err := f.Remit(t.Context(), f.payment(notice, lines...))
	if err != nil {
		t.Fatalf("%s: %v", notice, err)
	}
	return r
}

func (f fixture) payment(notice string, lines ...clearing.Line) clearing.Payment {
	*f.bills++
	month, _ := accounts.ParseMonth(notice[:7])
	return clearing.Payment{Notice: notice, Lines: lines, Date: month.Add(2).First().AddDays(2), Reference: fmt.Sprintf("bank-%d", *f.bills)}
}

// refuse expects that the payment is refused with the kind, and the texts in the message.
func (f fixture) refuse(t testing.TB, p clearing.Payment, kind fault.Kind, texts ...string) {
	t.Helper()
	_, err := f.Remit(t.Context(), p)
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

func in310(amount accounts.Fen) clearing.Line { return clearing.Line{Fund: "310", Amount: amount} }

func (f fixture) notice(t testing.TB, id string) clearing.Notice {
	t.Helper()
	notices, err := f.Notices(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices {
		if n.ID == id {
			return n
		}
	}
	t.Fatalf("there is no notice %s", id)
	return clearing.Notice{}
}

// balance is debits less credits of an account and its sub-accounts, over all
// counterparties where none is given.
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

func (f fixture) check(t testing.TB) *clearing.CheckReport {
	t.Helper()
	report, err := clearing.Check(context.Background(), f.journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// mustBeWhole checks everything; paid also wants every account that clearing
// passes through at zero.
func (f fixture) mustBeWhole(t testing.TB, paid bool) {
	t.Helper()
	report := f.check(t)
	for _, finding := range report.Findings {
		t.Errorf("check: %+v", finding)
	}
	if !paid {
		return
	}
	if len(report.Unpaid) > 0 {
		t.Errorf("%d notices are open, the first is %s", len(report.Unpaid), report.Unpaid[0].ID)
	}
	balances, _, err := f.journal.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		subject := b.Account.Subject
		passing := strings.HasPrefix(subject, "2001.02") || strings.HasPrefix(subject, "2001.04") || subject == "9993" ||
			strings.HasPrefix(subject, "9") && strings.HasSuffix(subject, ".02")
		if passing && b.Balance != 0 {
			t.Errorf("%s is %s after everything is paid", b.Account, b.Balance)
		}
	}
}
