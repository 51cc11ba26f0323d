package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

const agency = accounts.Book("320100.agency")

func TestAPeriodIsClosedAndReopenedByAnotherPersonAndEachChangeIsRecorded(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	f.post(t, income("a", 100))
	for range 2 { // each step may be asked again
		f.beginClose(t, "2025-01")
	}
	isRefused(t, "while closing", f.refused(t, income("b", 1)), fault.PeriodClosed, "period 2025-01 of book 320100.agency is closing: post in an open period")
	for _, kind := range []string{"adjustment", "closing", "closing.income", "year_end.agency"} {
		e := income(kind, 1)
		e.Kind = kind
		f.post(t, e)
	}
	for range 2 {
		f.closePeriod(t, "2025-01")
	}
	late := income("late", 1)
	late.Kind = "adjustment"
	isRefused(t, "closed", f.refused(t, late), fault.PeriodClosed, "period 2025-01 of book 320100.agency is closed")
	elsewhere := entry("elsewhere", debit("320200.agency/310/1003", 1), credit("320200.agency/310/4001", 1))
	f.post(t, elsewhere)
	for range 2 {
		if _, err := f.Reopen(ctx, agency, "2025-01", "chief", "an invoice came late"); err != nil {
			t.Fatal(err)
		}
	}
	f.post(t, income("b", 1))
	f.beginClose(t, "2025-01")
	f.closePeriod(t, "2025-01")
	f.mustBeWhole(t)
	events, err := f.PeriodHistory(ctx, agency)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Number, e.State, e.By, e.Reason, e.Position))
	}
	want := "[1opensetup0 2closingcloser0 3closedcloser5 4reopenedchiefan invoice came late5 5closingcloser5 6closedcloser7]"
	if fmt.Sprint(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestPeriodChangesSayWhyTheyAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	for _, month := range []accounts.Month{"2025-01", "2025-02"} {
		f.beginClose(t, month)
		f.closePeriod(t, month)
	}
	for _, c := range []struct {
		name    string
		err     error
		kind    fault.Kind
		message string
	}{
		{"no such book", second(f.BeginClose(ctx, "310000.agency", "2025-01", "a")), fault.NotFound, "there is no book 310000.agency"},
		{"no month", second(f.BeginClose(ctx, agency, "2025", "a")), fault.Invalid, `"2025" is not a month`},
		{"nobody", second(f.Close(ctx, agency, "2025-03", " ")), fault.Invalid, "say who changes period 2025-03 of book 320100.agency"},
		{"before the opening", second(f.BeginClose(ctx, agency, "2024-12", "a")), fault.Precondition, "book 320100.agency opens in 2025-01, so 2024-12 cannot be closed"},
		{"earlier month open", second(f.BeginClose(ctx, agency, "2025-04", "a")), fault.Precondition, "close period 2025-03 of book 320100.agency first: it is open"},
		{"closed without beginning", second(f.Close(ctx, agency, "2025-03", "a")), fault.Precondition, "period 2025-03 of book 320100.agency is open, so it cannot become closed"},
		{"begun when closed", second(f.BeginClose(ctx, agency, "2025-02", "a")), fault.Precondition, "period 2025-02 of book 320100.agency is closed, set by closer, so it cannot become closing"},
		{"closed by another again", second(f.Close(ctx, agency, "2025-02", "a")), fault.Precondition, "is closed, set by closer, so it cannot become closed"},
		{"reopened by who closed it", second(f.Reopen(ctx, agency, "2025-02", "closer", "mistake")), fault.Permission, "period 2025-02 of book 320100.agency was set to closed by closer: another person must reopen it"},
		{"reopened without a reason", second(f.Reopen(ctx, agency, "2025-02", "chief", "")), fault.Invalid, "say why period 2025-02 of book 320100.agency is reopened"},
		{"reopened under a later one", second(f.Reopen(ctx, agency, "2025-01", "chief", "mistake")), fault.Precondition, "reopen period 2025-02 of book 320100.agency first: it is closed"},
		{"reopened when open", second(f.Reopen(ctx, agency, "2025-03", "chief", "mistake")), fault.Precondition, "period 2025-03 of book 320100.agency is open, so it cannot become reopened"},
	} {
		isRefused(t, c.name, c.err, c.kind, c.message)
	}
	bare := ledger.New(f.db, f.book)
	if _, err := f.db.Pool.Exec(ctx, "DELETE FROM periods WHERE book = '320200.agency'"); err != nil {
		t.Fatal(err)
	}
	isRefused(t, "never opened", second(bare.BeginClose(ctx, "320200.agency", "2025-01", "a")), fault.Precondition, "book 320200.agency has not been opened: run fundledger setup")
}

// Posting and closing race: whatever was posted in time stands before the
// closing's position, and nothing comes after it.
func TestNothingSlipsIntoAPeriodWhileItIsClosed(t *testing.T) {
	t.Parallel()
	f := open(t)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				e := accepted(fmt.Sprintf("%d/%d", worker, i), "H1", 1)
				e.Kind = []string{"manual", "adjustment"}[i%2]
				results, err := f.Post(context.Background(), e)
				if err != nil || (results[0].Err != nil && fault.KindOf(results[0].Err) != fault.PeriodClosed) {
					t.Error(results, err)
					return
				}
			}
		})
	}
	const book = accounts.Book("320500.agency")
	for round := range 5 {
		for _, err := range []error{
			second(f.BeginClose(t.Context(), book, "2025-01", "closer")), second(f.Close(t.Context(), book, "2025-01", "closer")),
			second(f.Reopen(t.Context(), book, "2025-01", "chief", fmt.Sprint("round ", round))),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	group.Wait()
	f.mustBeWhole(t)
}
