package recovery

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/recovery/internal/db"
)

// Case returns a case with its steps, and the position of the journal that it has
// seen, at least the given one. Errors: NotFound (no such case, or the journal is
// shorter).
func (r *Recovery) Case(ctx context.Context, id string, atLeast ledger.Position) (c *Case, seen ledger.Position, err error) {
	err = r.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		c, err = r.read(ctx, tx, id)
		return err
	})
	return c, seen, err
}

// Deciders tells of each posted settlement the region that decides on it: the
// treating city, or the insured one where another province treated. Of others
// there is none in the answer.
func (r *Recovery) Deciders(ctx context.Context, setlIDs []string) (map[string]string, error) {
	var deciders map[string]string
	err := r.store.Snapshot(ctx, func(tx pgx.Tx) error {
		deciders = map[string]string{}
		standings, err := r.settlements.Standings(ctx, tx, setlIDs)
		for id, st := range standings {
			deciders[id] = deciderOf(st.Kind == settlement.CrossOut, st.Insured, st.Treating)
		}
		return err
	})
	return deciders, err
}

// Decider is the region that decides on the case.
func (c *Case) Decider() string { return deciderOf(c.Mode == Inbound, c.Insured, c.Treating) }

func deciderOf(treatedOutside bool, insured, treating string) string {
	if treatedOutside {
		return insured
	}
	return treating
}

func (r *Recovery) read(ctx context.Context, tx pgx.Tx, id string) (*Case, error) {
	rows, err := db.New(tx).GetCase(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noCase(id)
	}
	cases, err := r.tell(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	return cases[0], nil
}

// tell adds the steps to the cases and works out where their money stands.
func (r *Recovery) tell(ctx context.Context, tx pgx.Tx, rows []db.Clawback) ([]*Case, error) {
	q := db.New(tx)
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	steps, err := q.StepsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	byCase, records := map[string][]db.ClawbackStep{}, []string{}
	for _, s := range steps {
		byCase[s.CaseID] = append(byCase[s.CaseID], s)
		if s.Step == string(Received) && s.Record != "" {
			records = append(records, s.Record)
		}
	}
	runs, err := settlement.RunsOfNegatives(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	cases := make([]*Case, len(rows))
	for i := range rows {
		if cases[i], err = r.caseOf(&rows[i], byCase[rows[i].ID], runs); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

func (r *Recovery) caseOf(row *db.Clawback, steps []db.ClawbackStep, runs map[string]string) (*Case, error) {
	c := &Case{ID: row.ID, SetlID: row.SetlID, Mode: Mode(row.Mode), State: State(row.State), Insured: row.Insured, Treating: row.Treating,
		Provider: row.Provider, Document: row.Document, Reason: row.Reason, OpenedOn: civil.DateOf(row.OpenedOn), OpenedBy: row.OpenedBy,
		Parts: []CasePart{}, Steps: make([]Step, len(steps))}
	moved := map[string]settlement.Parts{}
	var inRun settlement.Parts
	for i := range steps {
		s := &steps[i]
		amounts := settlement.PartsOf(s.AmountsFen...)
		moved[s.Step] = moved[s.Step].Plus(amounts)
		step := Step{Step: s.Step, Date: civil.DateOf(s.TakenOn), By: s.TakenBy, Reference: s.Reference, Reason: s.Reason, Document: s.Document,
			Amount: amounts.Sum(), Run: s.RunID, Entries: s.Entries}
		switch s.Step {
		case string(Received):
			if step.Run = runs[s.Record]; step.Run != "" {
				inRun = inRun.Plus(amounts)
			}
		case stepPenalty:
			step.Amount = accounts.Fen(s.PenaltyFen)
			c.Penalty += step.Amount
		case stepSettled:
			step.Reference = ""
		}
		var err error
		if step.Parts, err = r.amountsOf(amounts, row.Insutype, step.Date); err != nil {
			return nil, err
		}
		c.Steps[i] = step
	}
	funds, err := r.fundsOf(row.Insutype, c.OpenedOn)
	if err != nil {
		return nil, err
	}
	for part, claimed := range settlement.PartsOf(row.ClaimedFen...) {
		if claimed == 0 {
			continue
		}
		at := func(step string) accounts.Fen { return moved[step][part] }
		s := Stand{Claimed: claimed, Received: at(string(Received)) + at(string(Arrived)), Home: at(string(Home)) + at(stepSettled)}
		if c.State != Declined && c.State != Cancelled {
			s.Outstanding = claimed - s.Received
		}
		if c.Mode == Offset {
			s.AwaitingRun = s.Received - inRun[part]
			s.InRun = inRun[part] - s.Home
		} else {
			s.AtAgency = at(string(Received)) - at(string(Deposited))
			s.Deposited = at(string(Deposited)) - at(string(Sent))
			s.AtProvince = at(string(Sent)) + at(string(Arrived)) - at(string(Home))
		}
		c.Parts = append(c.Parts, CasePart{Part: settlement.PartFields()[part], Fund: funds[part], Stand: s})
		c.Total.add(s)
	}
	return c, nil
}

// Query selects cases or deductions, in order of their ids.
type Query struct {
	State   State    // of cases; empty for all
	SetlID  string   // empty for all
	Regions []string // insured or treating; nil for all
	After   string   // id after which the page begins
	Limit   int
}

// Cases returns a page of cases and the position of the journal that it has seen.
func (r *Recovery) Cases(ctx context.Context, query Query, atLeast ledger.Position) ([]*Case, ledger.Position, error) {
	var cases []*Case
	var seen ledger.Position
	err := r.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		cases, err = r.CasesTx(ctx, tx, query)
		return err
	})
	return cases, seen, err
}

// CasesTx is Cases as the transaction sees it.
func (r *Recovery) CasesTx(ctx context.Context, tx pgx.Tx, query Query) ([]*Case, error) {
	rows, err := db.New(tx).PageOfCases(ctx, db.PageOfCasesParams{State: string(query.State), SetlID: query.SetlID, AllRegions: query.Regions == nil,
		Regions: query.Regions, After: query.After, Page: int32(query.Limit)})
	if err != nil {
		return nil, err
	}
	return r.tell(ctx, tx, rows)
}

// Deductions returns a page of deductions and the position that it has seen.
func (r *Recovery) Deductions(ctx context.Context, query Query, atLeast ledger.Position) ([]Deduction, ledger.Position, error) {
	var list []Deduction
	var seen ledger.Position
	err := r.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		list, err = r.DeductionsTx(ctx, tx, query)
		return err
	})
	return list, seen, err
}

// DeductionsTx is Deductions as the transaction sees it.
func (r *Recovery) DeductionsTx(ctx context.Context, tx pgx.Tx, query Query) ([]Deduction, error) {
	rows, err := db.New(tx).PageOfDeductions(ctx, db.PageOfDeductionsParams{SetlID: query.SetlID, AllRegions: query.Regions == nil,
		Regions: query.Regions, After: query.After, Page: int32(query.Limit)})
	if err != nil {
		return nil, err
	}
	list, records := make([]Deduction, len(rows)), make([]string, len(rows))
	for i, row := range rows {
		records[i] = recordOfDeduction(row.ID)
		if list[i], err = r.deductionOf(row); err != nil {
			return nil, err
		}
	}
	runs, err := settlement.RunsOfNegatives(ctx, tx, records)
	for i := range list {
		list[i].Run = runs[records[i]]
	}
	return list, err
}

// Held is money of clawbacks that lies at a station, by the account it lies on.
type Held struct {
	Station                 Station // Received: 2001.03, of mode offset or remit; Arrived: 2001.05
	Mode                    Mode
	Treating, Insured, Fund string
}

// Holdings are what the steps say lies where: received to be offset and not
// settled, received to be remitted and not sent, at the province and not home.
func Holdings(ctx context.Context, tx pgx.Tx, book *accounts.Rulebook) (map[Held]accounts.Fen, error) {
	rows, err := db.New(tx).MovedMoney(ctx)
	if err != nil {
		return nil, err
	}
	r := New(nil, nil, book, nil, nil)
	held := map[Held]accounts.Fen{}
	for _, row := range rows {
		funds, err := r.fundsOf(row.Insutype, civil.DateOf(row.TakenOn))
		if err != nil {
			return nil, err
		}
		for part, amount := range settlement.PartsOf(row.AmountsFen...) {
			city := Held{Received, Mode(row.Mode), row.Treating, row.Insured, funds[part]}
			province := Held{Arrived, Remit, "", row.Insured, funds[part]}
			switch row.Step {
			case string(Received):
				held[city] += amount
			case stepSettled:
				held[city] -= amount
			case string(Sent):
				held[city] -= amount
				held[province] += amount
			case string(Arrived):
				held[province] += amount
			case string(Home):
				held[province] -= amount
			}
		}
	}
	return held, nil
}
