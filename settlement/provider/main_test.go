package provider_test

import (
	"fmt"
	"strings"
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
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a deployment with open books and premiums in every city.
type fixture struct {
	*provider.Desk
	db          *postgres.DB
	book        *accounts.Rulebook
	journal     *ledger.Journal
	settlements *settlement.Settlements
	files       *int
}

const (
	nanjing, wuxi, suzhou = "320100", "320200", "320500"
	shanghai              = "310000"
	hospital              = "H32050000001" // in Suzhou
)

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
	f := fixture{provider.New(db, j, book), db, book, j, settlement.New(db, j, book), new(int)}
	for _, city := range book.Regions.Of(accounts.City) {
		f.event(t, "premium.received", "310", map[string]string{"H": city.Code}, 100_000_00)
		f.event(t, "premium.received", "320", map[string]string{"H": city.Code}, 100_000_00)
		f.event(t, "premium.received", "390", map[string]string{"H": city.Code}, 100_000_00)
	}
	return f
}

// event posts an event in one fund.
func (f fixture) event(t testing.TB, name, fund string, regions map[string]string, amount accounts.Fen) {
	t.Helper()
	on := day("2024-01-02")
	lines, err := ledger.Draft(f.book, ledger.Facts{Event: name, Date: on, Fund: fund, Regions: regions,
		Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}})
	if err != nil {
		t.Fatal(err)
	}
	f.post(t, ledger.Entry{Key: fmt.Sprint(name, fund, regions), Date: on, Period: "2024-01", Kind: name, Summary: name, Preparer: "test", Postings: lines})
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

func day(s string) civil.Date {
	d, err := accounts.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// bill is one settlement, or the refund of one.
type bill struct {
	id, insured, provider string
	on                    string
	insutype              string
	pooled, civil, acct   accounts.Fen
	refundOf              string
}

var columns = strings.Split("setl_id mdtrt_id psn_no insutype insu_admdvs mdtrtarea_admvs fixmedins_code clr_type med_type begndate enddate setl_time medfee_sumamt fund_pay_sumamt hifp_pay cvlserv_pay hifes_pay hifmi_pay hifob_pay maf_pay oth_pay acct_pay psn_cash_pay refd_setl_flag orig_setl_id", " ")

// settle imports the bills as all three sides have them and posts them; all
// are treated in Suzhou.
func (f fixture) settle(t testing.TB, bills ...bill) {
	t.Helper()
	f.load(t, bills...)
	for month := range months(bills) {
		if _, err := f.settlements.Reconcile(t.Context(), month, settlement.ReconcileOptions{Workers: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

func months(bills []bill) map[accounts.Month]bool {
	set := map[accounts.Month]bool{}
	for _, b := range bills {
		set[accounts.MonthOf(day(b.on))] = true
	}
	return set
}

func (f fixture) load(t testing.TB, bills ...bill) {
	t.Helper()
	lines := []string{strings.Join(columns, "\t")}
	for _, b := range bills {
		flag, orig, insutype := "0", "null", b.insutype
		if b.refundOf != "" {
			flag, orig = "1", b.refundOf
		}
		if insutype == "" {
			insutype = "310"
		}
		by := b.provider
		if by == "" {
			by = hospital
		}
		funds := b.pooled + b.civil
		lines = append(lines, strings.Join([]string{b.id, "S" + b.id, "P26a4f69d17d3", insutype, b.insured, suzhou, by, "21", "21", b.on, b.on,
			b.on + "T10:00:00+08:00", (funds + b.acct).String(), funds.String(), b.pooled.String(), b.civil.String(), "0.00", "0.00", "0.00", "0.00", "0.00",
			b.acct.String(), "0.00", flag, orig}, "\t"))
	}
	*f.files++
	name := fmt.Sprintf("%d.tsv", *f.files)
	files := fstest.MapFS{name: {Data: []byte(strings.Join(lines, "\n") + "\n")}}
	for _, side := range settlement.Sides() {
		report, err := f.settlements.Import(t.Context(), side, settlement.FSFile(files, name), settlement.ImportOptions{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if report.Rejected > 0 {
			t.Fatalf("rejected: %+v", report)
		}
	}
}

// fund brings money to Suzhou's spending account.
func (f fixture) fund(t testing.TB, fund string, amount accounts.Fen) {
	t.Helper()
	*f.files++
	_, err := f.Fund(t.Context(), provider.Funding{Region: suzhou, Lines: []provider.Line{{Fund: fund, Amount: amount}}, Date: day("2025-02-01"),
		Reference: fmt.Sprint("F", *f.files), By: "li"})
	if err != nil {
		t.Fatal(err)
	}
}

func request(id string, lines ...provider.Line) provider.ListRequest {
	return provider.ListRequest{ID: id, Treating: suzhou, Provider: hospital, Through: day("2025-12-31"), Lines: lines, Date: day("2025-02-10"), By: "wang"}
}

func (f fixture) list(t testing.TB, r provider.ListRequest) *provider.List {
	t.Helper()
	l, err := f.MakeList(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (f fixture) pay(t testing.TB, list string) *provider.List {
	t.Helper()
	l, err := f.Pay(t.Context(), payment(list))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func payment(list string) provider.Payment {
	return provider.Payment{List: list, Date: day("2025-02-12"), Reference: "B-" + list, By: "zhao"}
}

// paid is what PaidOf says, as "fund/part=amount …".
func (f fixture) paid(t testing.TB, id string) string {
	t.Helper()
	var text []string
	err := f.db.Snapshot(t.Context(), func(tx pgx.Tx) error {
		text = nil
		all, err := provider.PaidOf(t.Context(), tx, []string{id})
		for _, p := range all[id] {
			text = append(text, p.Fund+"/"+p.Part+"="+p.Amount.String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(text, " ")
}

func (f fixture) balance(t testing.TB, account string) accounts.Fen {
	t.Helper()
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := f.journal.Balance(t.Context(), a, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	return b.Balance
}

// mustBeWhole checks all books, and that what is payable ties to the journal.
func (f fixture) mustBeWhole(t testing.TB) {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check: %+v", finding)
	}
	claims, _, err := f.Claims(t.Context(), suzhou)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		payables, _, err := f.Payables(t.Context(), suzhou, c.Provider, day("2025-06-30"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range payables {
			if p.Fund == c.Fund && (p.Balance != c.Amount || p.Open+p.Later+p.Listed+p.Unassigned != c.Amount) {
				t.Errorf("%s of %s: the journal says %s, the items %+v", c.Fund, c.Provider, c.Amount, p)
			}
		}
	}
}

func mustFail(t testing.TB, err error, kind fault.Kind, message string) {
	t.Helper()
	if fault.KindOf(err) != kind || err == nil || !strings.Contains(err.Error(), message) {
		t.Errorf("want %s: …%s…, got %s: %v", kind, message, fault.KindOf(err), err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
