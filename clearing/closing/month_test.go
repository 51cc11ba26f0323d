package closing_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/clearing/bank"
	"fundledger/clearing/closing"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func (f *fixture) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.db.Pool.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// plant leaves open one of everything in January, in the books of 320100.
func (f *fixture) plant(t testing.TB) {
	t.Helper()
	f.exec(t,
		`INSERT INTO exceptions (setl_id, service_month, kind, refund, detail) VALUES ('S1', '2025-01', 'missing_center', false, ''), ('S2', '2025-01', 'missing_center', false, ''), ('S3', '2025-02', 'missing_center', false, '')`,
		`INSERT INTO side_records (setl_id, side, status, kind, file_id, line, service_month, refund, digest, insured, treating) VALUES
			('S1', 'insured', 'valid', '', gen_random_uuid(), 1, '2025-01', false, '', '320100', '310000'), ('S2', 'insured', 'valid', '', gen_random_uuid(), 1, '2025-01', false, '', '320300', '310000')`,
		`INSERT INTO clearing_runs (id, month, kind, state, notice_date, period) VALUES ('2024-12/in-province', '2024-12', 'in-province', 'collecting', '2025-01-28', '')`,
		`INSERT INTO uploads (batch_id, side, file_name, size, sha256, strict, subject, state) VALUES ('b', 'center', 'c.tsv', 1, '', false, 's', 'receiving')`,
	)
	f.post(t, "adjustment", date("2025-01-05"), "2025-01", line(accounts.Debit, "320100.agency/310/1003", 5_00), line(accounts.Credit, "320100.agency/310/4001", 5_00))
	_, err := f.Pend(t.Context(), ledger.Entry{
		Key: "p", Date: date("2025-01-06"), Period: "2025-01", Kind: "adjustment", Summary: "试验", Source: "test", Preparer: "tester",
		Postings: []ledger.Posting{line(accounts.Debit, "320100.agency/310/5401", 1_00), line(accounts.Credit, "320100.agency/310/1003", 1_00)},
	}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMonthIsRefusedWithTheListOfWhatIsOpen(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plant(t)
	_, err := f.CloseMonth(t.Context(), month("2025-01", "clerk"))
	isRefused(t, "the list", err, fault.Precondition, "2025-01 cannot be closed, since of it is open:\n320100.agency, 账簿查验")
	want := []string{
		"320100.agency checks", "320100.agency exceptions", "320100.agency files", "320100.agency pendings", "320100.agency runs", "320100.finance checks",
	}
	if got := opens(err); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// What belongs to nobody here hinders nobody here.
	_, err = f.CloseMonth(t.Context(), month("2025-01", "clerk", "320200.finance"))
	if err != nil {
		t.Error(err)
	}
	items, err := f.Checklist(t.Context(), "320000.agency", "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if item.Name == "exceptions" && (len(item.Details) != 1 || item.Details[0] != "2 of kind missing_center in 2025-01") {
			t.Errorf("the province sees %q", item.Details)
		}
		if item.Name == "bank" && item.State != closing.NotKept {
			t.Errorf("%+v", item)
		}
	}
	// Nobody was closed, and both books take no ordinary entries meanwhile.
	page, err := f.Periods(t.Context(), ledger.PeriodQuery{Book: agency, From: "2025-01", To: "2025-01"})
	if err != nil || page.Periods[0].State != ledger.PeriodClosing {
		t.Errorf("%+v %v", page, err)
	}
	// Once it is done, the same request closes it.
	f.exec(t, "UPDATE exceptions SET resolved_at = now()", "UPDATE clearing_runs SET state = 'frozen'", "UPDATE uploads SET ended_at = now()", "DELETE FROM clearing_runs")
	if _, err := f.Void(t.Context(), "p", "tester", "x"); err != nil {
		t.Fatal(err)
	}
	f.post(t, "adjustment", date("2025-01-05"), "2025-01", line(accounts.Debit, "320100.finance/310/1001", 5_00), line(accounts.Credit, "320100.finance/310/4001", 5_00))
	f.close(t, "2025-01")
	f.mustBeWhole(t)
}

func TestASecondPersonClosesOverWhatIsOpenAndItIsRecorded(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plant(t)
	over := func(by string, items ...string) error {
		r := month("2025-01", by)
		r.Key, r.Override = "k-"+by, &closing.Override{Reason: "国家平台文件迟到", Items: items}
		_, err := f.CloseMonth(t.Context(), r)
		return err
	}
	all := []string{"checks", "exceptions", "files", "pendings", "runs"}
	isRefused(t, "by who begins", over("clerk", all...), fault.Permission, "was begun by clerk: another person must override its checklist")
	isRefused(t, "more is open than named", over("chief", all[1:]...), fault.Precondition, "账簿查验")
	for range 2 {
		if err := over("chief", all...); err != nil {
			t.Fatal(err)
		}
	}
	events, err := f.PeriodHistory(t.Context(), agency)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	override, ok := last.Overridden()
	if !ok || last.By != "chief" || override.Reason != "国家平台文件迟到" || len(override.Open) != 5 || !slices.Contains(override.Open, "exceptions: 1 of kind missing_center in 2025-01") {
		t.Errorf("%+v", last)
	}
	// Reopened by another person, the late request of the chief changes nothing.
	if _, err := f.Reopen(t.Context(), agency, "2025-01", "clerk", "补记"); err != nil {
		t.Fatal(err)
	}
	if err := over("chief", all...); err != nil {
		t.Error(err)
	}
	r := month("2025-01", "chief")
	r.Key = "k-chief"
	_, err = f.CloseMonth(t.Context(), r)
	isRefused(t, "the key with other content", err, fault.AlreadyExists, "is already used for another change")
	if page, err := f.Periods(t.Context(), ledger.PeriodQuery{Book: agency, From: "2025-01", To: "2025-01"}); err != nil || page.Periods[0].State != ledger.PeriodReopened {
		t.Errorf("%+v %v", page, err)
	}
}

func TestMonthsCloseInOrderAndTwiceIsAReplay(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.CloseMonth(t.Context(), month("2025-02", "clerk"))
	isRefused(t, "February first", err, fault.Precondition, "close period 2025-01 of book 320100.agency first")
	f.close(t, "2025-01")
	again, err := f.CloseMonth(t.Context(), month("2025-01", "clerk"))
	if err != nil || !again[0].Replayed || !again[1].Replayed {
		t.Errorf("%+v %v", again, err)
	}
	_, err = f.CloseMonth(t.Context(), month("2025-01", "chief"))
	isRefused(t, "closed by another", err, fault.Precondition, "is closed, set by clerk")
	for name, r := range map[string]closing.MonthRequest{
		"say which books": {Month: "2025-02", By: "x"}, "there is no book 1.agency": month("2025-02", "x", "1.agency"),
		`"2025" is not a month`: month("2025", "x"), "it was not opened by then": month("2024-12", "x"), "say who changes": month("2025-02", " "),
	} {
		_, err := f.CloseMonth(t.Context(), r)
		isRefused(t, name, err, fault.KindOf(err), name)
		if err == nil {
			t.Errorf("%s: is not refused", name)
		}
	}
}

// bankSource is a bank reconciliation that finds a difference.
type bankSource struct{ fails bool }

func (s bankSource) Look(_ context.Context, book accounts.Book, month accounts.Month) (closing.Item, error) {
	if s.fails {
		return closing.Item{}, fault.New(fault.Unavailable, "the bank cannot be read")
	}
	return closing.Item{Name: "bank", Title: "银行", State: closing.Open, Details: []string{fmt.Sprint(book, " ", month, " differs")}}, nil
}

func TestTheBankReconciliationIsAPointOfTheList(t *testing.T) {
	t.Parallel()
	f := open(t)
	withBank := closing.New(f.db, f.Journal, f.book, bankSource{})
	_, err := withBank.CloseMonth(t.Context(), month("2025-01", "clerk", agency))
	isRefused(t, "bank", err, fault.Precondition, "银行: 320100.agency 2025-01 differs")
	_, err = closing.New(f.db, f.Journal, f.book, bankSource{true}).Checklist(t.Context(), agency, "2025-01")
	isRefused(t, "unreadable", err, fault.Unavailable, "the bank cannot be read")
}

// A bank account of the book has a statement of the last day that ties.
func TestAMonthWaitsForTheStatementOfItsBank(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.event(t, "premium.received", "320100", "310", date("2025-01-05"), 5_00)
	desk := bank.New(f.db, f.Journal, f.book)
	_, err := desk.ChangeAccounts(t.Context(), bank.AccountChange{By: "admin", Accounts: []bank.Account{{
		Number: "3201-0001", Bank: "中国银行南京分行", Holder: "南京市财政局", Book: finance, Backs: []bank.Backing{{Fund: "310", Subject: "1001"}},
		Effective: accounts.Effective{From: date("2024-01-01"), Source: "开户许可证"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.CloseMonth(t.Context(), month("2025-01", "clerk"))
	isRefused(t, "no statement", err, fault.Precondition, "bank account 3201-0001 has no statement of 2025-01-31")
	if got := opens(err); !slices.Equal(got, []string{"320100.finance bank"}) {
		t.Errorf("%q", got)
	}
	statement := strings.Join([]string{
		"#account\t3201-0001", "#from\t2025-01-01", "#to\t2025-01-31", "#opening\t0.00", "#closing\t5.00",
		"account\tdate\tserial\tside\tamount\tcounterparty_account\tcounterparty_name\tremark\treference\tbalance",
		"3201-0001\t2025-01-05\tS1\tC\t5.00\t62001\t某单位\t往来款\ttest\t5.00", "",
	}, "\n")
	if _, err := desk.Import(t.Context(), bank.ImportRequest{By: "clerk", File: "s.tsv", Content: []byte(statement)}); err != nil {
		t.Fatal(err)
	}
	_, err = f.CloseMonth(t.Context(), month("2025-01", "clerk"))
	isRefused(t, "unexplained", err, fault.Precondition, "5.00 of 2025-01-05 is unexplained for 26 days")
	matched, err := desk.MatchAutomatically(t.Context(), bank.MatchRequest{By: "clerk", Account: "3201-0001", Day: date("2025-01-31")})
	if err != nil || len(matched.Matches) != 1 {
		t.Fatalf("%+v %v", matched, err)
	}
	closed, err := f.CloseMonth(t.Context(), month("2025-01", "clerk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range closed {
		want := map[accounts.Book]closing.ItemState{agency: closing.NotKept, finance: closing.Clear}[b.Book]
		if last := b.Items[len(b.Items)-1]; last.Name != "bank" || last.State != want {
			t.Errorf("%s: %+v", b.Book, last)
		}
	}
}
