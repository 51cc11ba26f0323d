package clearing

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
	"fundledger/settlement"
)

// Clear freezes the run of each kind for the service month and returns them. A
// run that is frozen already is returned as it stands; one that was left
// collecting goes on from there. The notice date is the 28th of the next month
// where none is given (zero). Accepted records of the month and late ones of
// earlier months are taken in (J49).
//
// Errors: Invalid when the notice date lies before the end of the month;
// Precondition when a later month of the kind is cleared already, an earlier
// one was left collecting, or the run has another notice date; NotFound when
// the working-day calendar lacks a year, before anything is written.
func (c *Clearing) Clear(ctx context.Context, month accounts.Month, noticeDate civil.Date) ([]Run, error) {
	given := !noticeDate.IsZero()
	noticeDate, err := c.NoticeDate(month, noticeDate)
	if err != nil {
		return nil, err
	}
	for _, kind := range Kinds() {
		if _, err := c.scheduleOf(kind, noticeDate); err != nil {
			return nil, err
		}
	}
	runs := make([]Run, 0, len(Kinds()))
	for _, kind := range Kinds() {
		run, err := c.begin(ctx, month, kind, noticeDate, given)
		if err != nil {
			return nil, err
		}
		if run, err = c.finish(ctx, run); err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// NoticeDate is the date of the tables and notices of a service month: the given
// one, or the day of the next month that the policy says where none is given
// (zero). Errors: Invalid when it lies before the end of the month; NotFound when
// the policy has no such day.
func (c *Clearing) NoticeDate(month accounts.Month, given civil.Date) (civil.Date, error) {
	if given.IsZero() {
		first := month.Add(1).First()
		day, err := c.book.Policy.Int(policyNoticeDay, first)
		if err != nil {
			return civil.Date{}, err
		}
		given = first.AddDays(day - 1)
	}
	if !given.After(month.Last()) {
		return civil.Date{}, fault.New(fault.Invalid, "notice date %s lies before the end of service month %s: give a later one", given, month)
	}
	return given, nil
}

// begin finds or makes the run.
func (c *Clearing) begin(ctx context.Context, month accounts.Month, kind Kind, noticeDate civil.Date, given bool) (Run, error) {
	run := Run{ID: RunID(month, kind), Month: month, Kind: kind, State: Collecting, NoticeDate: noticeDate}
	err := c.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		switch row, err := q.GetRun(ctx, run.ID); {
		case err == nil:
			if stands := runOf(row); given && stands.NoticeDate != noticeDate {
				return fault.New(fault.Precondition, "run %s stands with notice date %s, so it cannot have %s", run.ID, stands.NoticeDate, noticeDate)
			}
			run = runOf(row)
			return nil
		case err != pgx.ErrNoRows:
			return err
		}
		others, err := q.OtherRuns(ctx, db.OtherRunsParams{Kind: string(kind), Month: string(month)})
		if err != nil {
			return err
		}
		for _, other := range others {
			if other.Month > string(month) {
				return fault.New(fault.Precondition, "%s is cleared already (%s): records of %s that come now go into the next run", other.Month, other.ID, month)
			}
			if other.State != string(Frozen) {
				return fault.New(fault.Precondition, "run %s was begun and not frozen: run clear --month %s first", other.ID, other.Month)
			}
		}
		return q.InsertRun(ctx, db.InsertRunParams{ID: run.ID, Month: string(month), Kind: string(kind), NoticeDate: dateParam(noticeDate)})
	})
	return run, err
}

// finish takes the records in and freezes the run, in one transaction.
func (c *Clearing) finish(ctx context.Context, run Run) (Run, error) {
	err := c.whileCollecting(ctx, &run, func(tx pgx.Tx, q *db.Queries) error {
		if _, err := settlement.TagRun(ctx, tx, run.ID, settlement.RunKind(run.Kind), run.Month); err != nil {
			return err
		}
		return c.freeze(ctx, tx, q, &run)
	})
	return run, err
}

// whileCollecting holds the run's row and calls fn, unless somebody else has
// frozen the run.
func (c *Clearing) whileCollecting(ctx context.Context, run *Run, fn func(pgx.Tx, *db.Queries) error) error {
	return c.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		row, err := q.LockRun(ctx, run.ID)
		if err != nil {
			return err
		}
		*run = runOf(row)
		if run.State == Frozen {
			return nil
		}
		return fn(tx, q)
	})
}
