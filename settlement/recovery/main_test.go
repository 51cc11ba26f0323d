package recovery_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

func TestMain(m *testing.M) { devdb.Main(m) }

const (
	province = "320000"
	nanjing  = "320100"
	wuxi     = "320200"
	suzhou   = "320500"
	shanghai = "310000"
)

// fixture is a deployment with open books and money in every city.
type fixture struct {
	*recovery.Recovery
	db          *postgres.DB
	book        *accounts.Rulebook
	journal     *ledger.Journal
	settlements *settlement.Settlements
	clearing    *clearing.Clearing
	providers   *providers
	count       *int
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
	f := fixture{db: db, book: book, journal: j, settlements: settlement.New(db, j, book), clearing: clearing.New(db, j, book),
		providers: &providers{paid: map[string][]provider.Paid{}}, count: new(int)}
	f.Recovery = recovery.New(db, j, book, f.providers.paidOf, f.clearing)
	for _, city := range []string{nanjing, wuxi, suzhou} {
		f.event(t, "premium.received", "310", map[string]string{"H": city}, 1_000_000_00)
		f.event(t, "spending.funded", "310", map[string]string{"H": city}, 500_000_00)
		f.event(t, "premium.received", "320", map[string]string{"H": city}, 1_000_000_00)
		f.event(t, "spending.funded", "320", map[string]string{"H": city}, 500_000_00)
	}
	return f
}

func (f fixture) event(t testing.TB, name, fund string, regions map[string]string, amount accounts.Fen) {
	t.Helper()
	*f.count++
	on := civil.Date{Year: 2024, Month: 1, Day: 2}
	lines, err := ledger.Draft(f.book, ledger.Facts{Event: name, Date: on, Fund: fund, Regions: regions, Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}})
	if err != nil {
		t.Fatal(err)
	}
	results, err := f.journal.Post(t.Context(), ledger.Entry{Key: fmt.Sprint(name, *f.count), Date: on, Period: "2024-01", Kind: name, Summary: name, Preparer: "test", Postings: lines})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

// providers remembers what providers were paid.
type providers struct {
	mu   sync.Mutex
	paid map[string][]provider.Paid
}

func (p *providers) paidOf(_ context.Context, _ pgx.Tx, ids []string) (map[string][]provider.Paid, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := map[string][]provider.Paid{}
	for _, id := range ids {
		of[id] = slices.Clone(p.paid[id])
	}
	return of, nil
}

// payProvider pays the provider of a settlement in fund 310: 统筹 first.
func (f fixture) payProvider(t testing.TB, b bill, amount accounts.Fen) {
	t.Helper()
	f.event(t, "provider.paid", "310", map[string]string{"T": b.treating, "I": b.insured, "provider": "H" + b.treating + "00001"}, amount)
	f.providers.mu.Lock()
	defer f.providers.mu.Unlock()
	pooled := min(amount, b.pooled)
	f.providers.paid[b.id] = append(f.providers.paid[b.id], provider.Paid{Fund: "310", Amount: pooled}, provider.Paid{Fund: "310", Part: "account", Amount: amount - pooled})
}

// bill is a settlement of insutype 310, or the refund of one.
type bill struct {
	id, insured, treating    string
	pooled, account, servant accounts.Fen // hifp_pay and acct_pay in fund 310, cvlserv_pay in 320
	refundOf                 string
}

var fields = []string{"setl_id", "mdtrt_id", "psn_no", "insutype", "insu_admdvs", "mdtrtarea_admvs", "fixmedins_code", "clr_type", "med_type",
	"begndate", "enddate", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay",
	"maf_pay", "oth_pay", "acct_pay", "psn_cash_pay", "refd_setl_flag", "orig_setl_id"}

// settle imports bills as all three sides have them and posts them.
func (f fixture) settle(t testing.TB, month accounts.Month, bills ...bill) {
	t.Helper()
	*f.count++
	var file bytes.Buffer
	fmt.Fprintln(&file, strings.Join(fields, "\t"))
	for _, b := range bills {
		flag, orig := "0", "null"
		if b.refundOf != "" {
			flag, orig = "1", b.refundOf
		}
		day := month.First().AddDays(9).String()
		fundPay := b.pooled + b.servant
		fmt.Fprintln(&file, strings.Join([]string{b.id, "S" + b.id, "P26a4f69d17d3", "310", b.insured, b.treating, "H" + b.treating + "00001", "21", "21",
			day, day, day + "T10:00:00+08:00", (fundPay + b.account).String(), fundPay.String(), b.pooled.String(), b.servant.String(),
			"0.00", "0.00", "0.00", "0.00", "0.00", b.account.String(), "0.00", flag, orig}, "\t"))
	}
	name := fmt.Sprintf("%s-%d.tsv", month, *f.count)
	files := fstest.MapFS{name: {Data: file.Bytes()}}
	for _, side := range settlement.Sides() {
		if report, err := f.settlements.Import(t.Context(), side, settlement.FSFile(files, name), settlement.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err, report)
		}
	}
	if _, err := f.settlements.Reconcile(t.Context(), month, settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) clear(t testing.TB, month accounts.Month) {
	t.Helper()
	if _, err := f.clearing.Clear(t.Context(), month, civil.Date{}); err != nil {
		t.Fatal(err)
	}
}

// remit pays everything that is open of a month.
func (f fixture) remit(t testing.TB, month accounts.Month, on string) {
	t.Helper()
	*f.count++
	if _, err := f.clearing.RemitAll(t.Context(), month, day(on), fmt.Sprint("all-", *f.count)); err != nil {
		t.Fatal(err)
	}
}

func day(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// line asks for an amount of hifp_pay.
func line(id string, amount accounts.Fen) recovery.Line {
	return recovery.Line{SetlID: id, Part: "hifp_pay", Amount: amount, Reason: "重复收费", Document: "审〔2025〕1号"}
}

const caseA1 = "审〔2025〕1号/A1"

func (f fixture) deduct(t testing.TB, on string, lines ...recovery.Line) []recovery.Deduction {
	t.Helper()
	made, err := f.Deduct(t.Context(), recovery.Decision{Lines: lines, Date: day(on), By: "auditor"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// claim opens and approves a case.
func (f fixture) claim(t testing.TB, on string, mode recovery.Mode, lines ...recovery.Line) *recovery.Case {
	t.Helper()
	cases, err := f.OpenClawbacks(t.Context(), recovery.Decision{Lines: lines, Date: day(on), By: "auditor", Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Approve(t.Context(), recovery.Ruling{Case: cases[0].ID, Date: day(on), By: "head"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f fixture) movement(id string, station recovery.Station, on string, amounts ...recovery.Amount) recovery.Movement {
	*f.count++
	return recovery.Movement{Case: id, Station: station, Amounts: amounts, Date: day(on), By: "cashier", Reference: fmt.Sprint("bank-", *f.count)}
}

func (f fixture) move(t testing.TB, id string, station recovery.Station, on string, amounts ...recovery.Amount) *recovery.Case {
	t.Helper()
	c, err := f.Move(t.Context(), f.movement(id, station, on, amounts...))
	if err != nil {
		t.Fatalf("%s: %v", station, err)
	}
	return c
}

func hifp(amount accounts.Fen) recovery.Amount {
	return recovery.Amount{Part: "hifp_pay", Amount: amount}
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

// mustBeWhole checks the journal and the invariants of clearing; paid also wants
// that no notice is open.
func (f fixture) mustBeWhole(t testing.TB, paid bool) {
	t.Helper()
	report, err := clearing.Check(context.Background(), f.journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check: %+v", finding)
	}
	if paid && len(report.Unpaid) > 0 {
		t.Errorf("%d notices are open, the first is %s", len(report.Unpaid), report.Unpaid[0].ID)
	}
}

// refused expects an error of the kind that says all of the texts.
func refused(t testing.TB, err error, kind fault.Kind, texts ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("want %s %q, got %s: %v", kind, texts, fault.KindOf(err), err)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
