package ledger_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

const purse = "320100.agency/310/1003"

func finishing(key string, amounts ...accounts.Fen) ledger.Finishing {
	return ledger.Finishing{Key: key, By: "finisher", Amounts: amounts}
}

// letExpire makes the time of a pending entry pass, unless a posting has
// released it already.
func (f fixture) letExpire(t testing.TB, key string) {
	t.Helper()
	tag, err := f.db.Pool.Exec(t.Context(), "UPDATE pendings SET expires_at = CASE WHEN state = 'open' THEN now() - interval '1 second' ELSE expires_at END WHERE key = $1", key)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
}

// reserved is what balances show as reserved of the purse.
func (f fixture) reserved(t testing.TB) accounts.Fen {
	t.Helper()
	f.catchUp(t)
	a, err := accounts.ParseAccount(purse)
	if err != nil {
		t.Fatal(err)
	}
	balances, _, err := f.Balances(t.Context(), ledger.Filter(a), ledger.AsOf{})
	if err != nil || len(balances) != 1 {
		t.Fatal(balances, err)
	}
	return balances[0].Reserved
}

func TestAPendingEntryReservesUntilItIsFinishedInFullOrInPart(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	p := f.pend(t, spend("p", 700))
	if p.State != ledger.Open || !maps.Equal(p.Holds, map[string]accounts.Fen{purse: 700}) {
		t.Errorf("%+v", p)
	}
	if r := f.reserved(t); r != 700 {
		t.Error("reserved", r)
	}
	err := f.refused(t, spend("too much", 301))
	if err.Kind != fault.Insufficient || err.Message != purse+" holds 10.00 of which 7.00 is reserved, 3.01 is needed, short by 0.01" || err.Detail("reserved") != "7.00" {
		t.Error(err)
	}
	_, second := f.Pend(t.Context(), spend("q", 301), time.Time{})
	isRefused(t, "a second reservation", second, fault.Insufficient, "short by 0.01")
	f.post(t, spend("the rest", 300))
	if report := f.mustBeWhole(t); report.Entries != 2 {
		t.Error("a pending entry has no place in the journal:", report.Entries)
	}
	result, finishErr := f.Finish(t.Context(), finishing("p", 500, 500))
	if finishErr != nil || result.Replayed || result.ID != ledger.FinishID("p") {
		t.Fatal(result, finishErr)
	}
	if r := f.reserved(t); r != 0 {
		t.Error("a partial finish must release the rest:", r)
	}
	if b := f.balance(t, purse); b != 200 {
		t.Error("balance", b)
	}
	f.pend(t, spend("all", 200))
	if _, err := f.Finish(t.Context(), finishing("all")); err != nil {
		t.Error(err)
	}
	posted, readErr := f.Entry(t.Context(), ledger.FinishID("all"))
	if readErr != nil || posted.Key != "finish/all" || posted.Reviewer != "finisher" || posted.Postings[1].Amount != 200 {
		t.Errorf("%+v %v", posted, readErr)
	}
	f.mustBeWhole(t)
}

func TestAPendingEntryKeepsItsWholeContent(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	e := spend("p", 700)
	e.Attachments, e.Reviewer, e.Corrects = 3, "reviewer", uuid.NullUUID{UUID: ledger.EntryID("in"), Valid: true}
	e.Postings[0].Dimensions = ledger.Dimensions{Run: "2025-01/out", Category: "21", Part: "account", BenefitYear: 2024}
	soon := time.Now().Add(time.Hour)
	for range 2 {
		if _, err := f.Pend(t.Context(), e, soon); err != nil {
			t.Fatal(err)
		}
	}
	p, err := f.Pending(t.Context(), "p")
	if err != nil || fmt.Sprint(p.Entry) != fmt.Sprint(e) || !p.Expires.Equal(soon.Truncate(time.Microsecond)) {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := f.Finish(t.Context(), finishing("p")); err != nil {
		t.Fatal(err)
	}
	e.Key = "finish/p"
	posted, err := f.Entry(t.Context(), ledger.FinishID("p"))
	if err != nil || fmt.Sprint(posted.Entry) != fmt.Sprint(e) {
		t.Errorf("%+v %v", posted, err)
	}
	f.mustBeWhole(t)
}

func TestOnlyWhatLowersAFloorIsReservedAndWhatRaisesItWaits(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.pend(t, income("coming", 1000))
	if err := f.refused(t, spend("early", 1)); !strings.Contains(err.Message, "holds 0.00, 0.01 is needed") {
		t.Error(err)
	}
	const p = "320000.agency/310/"
	f.post(t, entry("pool", debit(p+"1004.02", 1000), credit(p+"2001.01.01/320100", 600), credit(p+"2001.01.01/320200", 400)))
	use := f.pend(t, entry("use", debit(p+"2001.04.01", 900), credit(p+"1004.02", 900)))
	if want := map[string]accounts.Fen{"group:320000.agency/310/in_province_pool": 900, p + "1004.02": 900}; !maps.Equal(use.Holds, want) {
		t.Error("a group floor is reserved too:", use.Holds)
	}
	err := f.refused(t, entry("return", debit(p+"2001.01.01/320100", 101), credit(p+"1004.02", 101)))
	if err.Kind != fault.Insufficient {
		t.Error(err)
	}
	f.mustBeWhole(t)
}

func TestAVoidedOrExpiredPendingReservesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100))
	f.pend(t, spend("v", 100))
	for range 2 {
		if _, err := f.Void(t.Context(), "v", "boss", "the invoice was wrong"); err != nil {
			t.Fatal(err)
		}
	}
	f.pend(t, spend("w", 100))
	f.letExpire(t, "w")
	f.post(t, spend("a", 60)) // needs what w has held, without any sweep
	if p, err := f.Pending(t.Context(), "w"); err != nil || p.State != ledger.Expired || p.Decided.IsZero() {
		t.Error(p, err)
	}
	f.pend(t, spend("x", 40))
	f.letExpire(t, "x")
	f.pend(t, spend("y", 40)) // so does another reservation
	f.letExpire(t, "y")
	_, late := f.Finish(t.Context(), finishing("y"))
	isRefused(t, "finish after its time", late, fault.Precondition, `pending entry "y" has expired at`)
	if r := f.reserved(t); r != 0 {
		t.Error("finishing too late releases:", r)
	}
	f.pend(t, spend("z1", 10))
	f.pend(t, spend("z2", 10))
	f.letExpire(t, "z1")
	f.letExpire(t, "z2")
	for _, want := range []int{1, 1, 0} {
		if n, err := f.Expire(t.Context(), 1); n != want || err != nil {
			t.Error(n, err)
		}
	}
	if r := f.reserved(t); r != 0 {
		t.Error(r)
	}
	f.mustBeWhole(t)
}

// A refused posting that found expired pendings releases them all the same.
func TestExpiredReservationsAreReleasedEvenByAPostingThatIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100))
	f.pend(t, spend("p", 100))
	f.letExpire(t, "p")
	if err := f.refused(t, spend("too much", 101)); err.Message != purse+" holds 1.00, 1.01 is needed, short by 0.01" {
		t.Error(err)
	}
	if r := f.reserved(t); r != 0 {
		t.Error(r)
	}
	f.mustBeWhole(t)
}

func TestPendingEntriesSayWhyTheyAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	ctx := t.Context()
	f.pend(t, spend("open", 100))
	f.pend(t, spend("done", 100))
	f.pend(t, spend("void", 100))
	if _, err := f.Finish(ctx, finishing("done", 60, 60)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Void(ctx, "void", "boss", "no need"); err != nil {
		t.Fatal(err)
	}
	pend := func(e ledger.Entry, expires time.Time) error {
		_, err := f.Pend(ctx, e, expires)
		return err
	}
	finish := func(q ledger.Finishing) error {
		_, err := f.Finish(ctx, q)
		return err
	}
	early := spend("early", 1)
	early.Period = "2024-12"
	later := finishing("open")
	later.Period = "2024-12"
	for _, c := range []struct {
		name    string
		err     error
		kind    fault.Kind
		message string
	}{
		{"unbalanced", pend(entry("u", debit(purse, 1)), time.Time{}), fault.Invalid, "does not balance"},
		{"time has passed", pend(spend("t", 1), time.Unix(0, 0)), fault.Invalid, "the entry would expire at 1970-01-01T00:00:00Z, which has passed"},
		{"key too long", pend(spend(strings.Repeat("x", 194), 1), time.Time{}), fault.Invalid, "the key of a pending entry has at most 193 bytes, this one has 194"},
		{"period", pend(early, time.Time{}), fault.PeriodClosed, "opens in 2025-01"},
		{"same key, other content", pend(spend("open", 99), time.Time{}), fault.AlreadyExists, `key "open" is already used for a pending entry with other content: posting 1 is D`},
		{"same key, other time", pend(spend("open", 100), time.Now().Add(time.Hour)), fault.AlreadyExists, `key "open" is already used for a pending entry that expires at`},
		{"finish nothing", finish(finishing("none")), fault.NotFound, `there is no pending entry "none"`},
		{"finish anonymously", finish(ledger.Finishing{Key: "open"}), fault.Invalid, `say who finishes pending entry "open"`},
		{"finish more", finish(finishing("open", 101, 101)), fault.Invalid, `posting 1 of pending entry "open" is 1.00, which cannot become 1.01`},
		{"finish with another sign", finish(finishing("open", -1, -1)), fault.Invalid, `posting 1 of pending entry "open" is 1.00, which cannot become -0.01`},
		{"finish unbalanced", finish(finishing("open", 50, 40)), fault.Invalid, "does not balance: debits less credits are 0.10"},
		{"finish with nothing", finish(finishing("open", 0, 0)), fault.Invalid, "an entry has 1 to 5000 postings, this one has 0"},
		{"finish with too few amounts", finish(finishing("open", 5)), fault.Invalid, `pending entry "open" has 2 postings, 1 amounts were given`},
		{"finish in a closed period", finish(later), fault.PeriodClosed, "opens in 2025-01"},
		{"finish a finished one otherwise", finish(finishing("done", 50, 50)), fault.Precondition, `pending entry "done" was finished by finisher with other content: posting 1 is D 320100.agency/310/5001.01 0.60 there`},
		{"finish a voided one", finish(finishing("void")), fault.Precondition, `pending entry "void" was voided by boss: no need`},
		{"void a finished one", second(f.Void(ctx, "done", "boss", "late")), fault.Precondition, `pending entry "done" was finished by finisher`},
		{"void again otherwise", second(f.Void(ctx, "void", "boss", "other")), fault.Precondition, "was voided by boss: no need"},
		{"void nothing", second(f.Void(ctx, "none", "boss", "x")), fault.NotFound, `there is no pending entry "none"`},
		{"void without a reason", second(f.Void(ctx, "open", "boss", " ")), fault.Invalid, `say who voids pending entry "open", and why`},
	} {
		isRefused(t, c.name, c.err, c.kind, c.message)
	}
	_, limit := f.Expire(ctx, 0)
	isRefused(t, "expire none", limit, fault.Invalid, "1 to 10000 pending entries can expire at once, 0 were asked")
	_, size := f.ListPending(ctx, ledger.PendingQuery{PageSize: 1001})
	isRefused(t, "page size", size, fault.Invalid, "a page has 1 to 1000 pending entries, 1001 were asked")
	_, none := f.Pending(ctx, "none")
	isRefused(t, "read nothing", none, fault.NotFound, `there is no pending entry "none"`)
	if again, err := f.Finish(ctx, finishing("done", 60, 60)); err != nil || !again.Replayed {
		t.Error("the same again is a replay:", again, err)
	}
	if again := f.pend(t, spend("done", 100)); again.State != ledger.Finished || again.By != "finisher" {
		t.Errorf("%+v", again)
	}
	if r := f.reserved(t); r != 100 {
		t.Error("what was refused must not change the reservation:", r)
	}
	f.mustBeWhole(t)
}

func TestAPendingEntryCanBeFinishedInALaterPeriod(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100))
	f.pend(t, spend("p", 100))
	f.beginClose(t, "2025-01")
	f.closePeriod(t, "2025-01")
	_, err := f.Finish(t.Context(), finishing("p"))
	isRefused(t, "closed", err, fault.PeriodClosed, "period 2025-01 of book 320100.agency is closed")
	late := finishing("p")
	late.Date, late.Period = day.AddDays(30), "2025-02"
	if _, err := f.Finish(t.Context(), late); err != nil {
		t.Error(err)
	}
	f.mustBeWhole(t)
}

func TestPendingEntriesAreListedByStateAndFloorInPages(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	for i := range 5 {
		f.pend(t, spend(fmt.Sprint("p", i), 10))
	}
	f.pend(t, accepted("o", "H1", 5))
	if _, err := f.Void(t.Context(), "p1", "boss", "x"); err != nil {
		t.Fatal(err)
	}
	list := func(query ledger.PendingQuery) string {
		var keys []string
		for {
			page, err := f.ListPending(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Pendings {
				keys = append(keys, p.Key)
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return strings.Join(keys, " ")
			}
		}
	}
	for want, query := range map[string]ledger.PendingQuery{
		"o p0 p1 p2 p3 p4": {PageSize: 2},
		"o p0 p2 p3 p4":    {State: ledger.Open, PageSize: 5},
		"p0 p2 p3 p4":      {State: ledger.Open, Floor: purse},
		"p1":               {State: ledger.Voided},
	} {
		if got := list(query); got != want {
			t.Errorf("%+v: %s, want %s", query, got, want)
		}
	}
}
