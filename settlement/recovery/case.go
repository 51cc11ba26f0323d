package recovery

import (
	"context"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/recovery/internal/db"
)

// Mode is how money of a clawback gets home.
type Mode string

const (
	Offset  Mode = "offset"  // in the next clearing run
	Remit   Mode = "remit"   // by the original channel: our city, the province, the insured region
	Inbound Mode = "inbound" // another province sends it, for a patient of ours
)

// State is how far a case has come.
type State string

const (
	Opened    State = "opened"    // waits for another person's approval
	Approved  State = "approved"  // money is claimed, or on its way
	Returned  State = "returned"  // every fen is home
	Declined  State = "declined"  // by another person than who opened it
	Cancelled State = "cancelled" // before any money came
)

// Case (追回) is the clawback of an amount of one settlement.
type Case struct {
	ID       string     `json:"case"` // document/setl_id
	SetlID   string     `json:"setl_id"`
	Mode     Mode       `json:"mode"`
	State    State      `json:"state"`
	Insured  string     `json:"insured"`
	Treating string     `json:"treating"`
	Provider string     `json:"provider"`
	Document string     `json:"document"`
	Reason   string     `json:"reason"`
	OpenedOn civil.Date `json:"opened_on"`
	OpenedBy string     `json:"opened_by"`
	// Parts say where each fen of each part stands, Total of all of them.
	Parts []CasePart `json:"parts"`
	Total Stand      `json:"total"`
	// Penalty is the sum of contract penalties (违约金) and fines that are recorded
	// on the case. They stay with the treating region and are posted nowhere.
	Penalty  accounts.Fen `json:"penalty"`
	Steps    []Step       `json:"steps"`
	Replayed bool         `json:"replayed,omitempty"`
}

// CasePart is where the money of one part stands.
type CasePart struct {
	Part string `json:"part"`
	Fund string `json:"fund"`
	Stand
}

// Stand is where claimed money stands. Claimed = Outstanding + what lies at each
// station + Home, unless the claim was given up.
type Stand struct {
	Claimed     accounts.Fen `json:"claimed"`
	Received    accounts.Fen `json:"received"`    // from the provider, or at the province from another one, so far
	Outstanding accounts.Fen `json:"outstanding"` // to come; 0.00 of a case that was declined or cancelled

	// Stations of an offset: 2001.03.01 of the treating city until it is home.
	AwaitingRun accounts.Fen `json:"awaiting_run"` // its negative record is in no clearing run
	InRun       accounts.Fen `json:"in_run"`       // in a run, not settled

	// Stations of what is remitted.
	AtAgency   accounts.Fen `json:"at_agency"`   // 支出户 of the treating city
	Deposited  accounts.Fen `json:"deposited"`   // 财政专户 of the treating city
	AtProvince accounts.Fen `json:"at_province"` // 财政专户 of the province

	Home accounts.Fen `json:"home"` // offset against a paid run, or returned to the insured region
}

func (s *Stand) add(o Stand) {
	s.Claimed += o.Claimed
	s.Received += o.Received
	s.Outstanding += o.Outstanding
	s.AwaitingRun += o.AwaitingRun
	s.InRun += o.InRun
	s.AtAgency += o.AtAgency
	s.Deposited += o.Deposited
	s.AtProvince += o.AtProvince
	s.Home += o.Home
}

// Names of steps.
const (
	stepOpened    = "opened"
	stepApproved  = "approved"
	stepDeclined  = "declined"
	stepCancelled = "cancelled"
	stepPenalty   = "penalty"
	stepSettled   = "settled"
)

// Step is something that happened to a case.
type Step struct {
	Step      string       `json:"step"` // opened, approved, declined, cancelled, penalty, received, settled, deposited, sent, arrived, home
	Date      civil.Date   `json:"date"`
	By        string       `json:"by"` // for settled: "clearing"
	Reference string       `json:"reference,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Document  string       `json:"document,omitempty"`
	Amount    accounts.Fen `json:"amount"`            // moved, or the penalty
	Parts     []Amount     `json:"parts,omitempty"`   // of what moved
	Run       string       `json:"run,omitempty"`     // of received in mode offset, once it is in a run, and of settled
	Entries   []uuid.UUID  `json:"entries,omitempty"` // with that of the negative record, for received in mode offset
}

// OpenClawbacks opens a case for each document and settlement of the lines, all
// or none. Only what the provider was paid, or another province has paid out, can
// be clawed back. The same lines again change nothing. Errors as of Deduct.
func (r *Recovery) OpenClawbacks(ctx context.Context, d Decision) ([]*Case, error) {
	ids, replays := []string{}, map[string]bool{}
	err := r.decide(ctx, d, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t *table, dem *demand) error {
		ids = append(ids, dem.id)
		stands, err := q.GetCase(ctx, dem.id)
		if err != nil {
			return err
		}
		if len(stands) > 0 {
			replays[dem.id] = true
			return replayCase(&stands[0], d, dem)
		}
		_, err = r.open(ctx, tx, q, t, d, dem)
		return err
	}, func() { ids, replays = ids[:0], map[string]bool{} })
	if err != nil {
		return nil, err
	}
	cases := make([]*Case, 0, len(ids))
	err = r.store.Snapshot(ctx, func(tx pgx.Tx) error {
		cases = cases[:0]
		for _, id := range ids {
			c, err := r.read(ctx, tx, id)
			if err != nil {
				return err
			}
			c.Replayed = replays[id]
			cases = append(cases, c)
		}
		return nil
	})
	return cases, err
}

func replayCase(row *db.Clawback, d Decision, dem *demand) error {
	if settlement.PartsOf(row.ClaimedFen...) != dem.amounts || row.Reason != dem.reason || civil.DateOf(row.OpenedOn) != d.Date || d.Mode != "" && row.Mode != string(d.Mode) {
		return fault.New(fault.AlreadyExists, "document %s has a case on settlement %s already with other content (%s, %s on %s, %q)", row.Document, row.SetlID,
			row.Mode, settlement.PartsOf(row.ClaimedFen...).Sum(), civil.DateOf(row.OpenedOn), row.Reason).With("setl_id", row.SetlID).With("document", row.Document)
	}
	return nil
}

// open opens the case of a demand and returns its mode.
func (r *Recovery) open(ctx context.Context, tx pgx.Tx, q *db.Queries, t *table, d Decision, dem *demand) (string, error) {
	st, err := t.standing(dem, d.Date)
	if err != nil {
		return "", err
	}
	mode, err := modeOf(st, d.Mode)
	if err != nil {
		return "", err
	}
	if err := st.Require(dem.amounts); err != nil {
		return "", err
	}
	if err := t.requirePaid(st, dem.amounts); err != nil {
		return "", err
	}
	if mode == Remit {
		if _, err := r.expenseYears(ctx, tx, st, dem.amounts, d.Date); err != nil {
			return "", err
		}
	}
	if err := r.settlements.Reduce(ctx, tx, st, settlement.ClawedBack, claimOf(dem.id), d.Date, dem.amounts); err != nil {
		return "", err
	}
	err = q.InsertCase(ctx, db.InsertCaseParams{ID: dem.id, SetlID: st.SetlID, Insutype: st.Insutype, Insured: st.Insured, Treating: st.Treating,
		Provider: st.Provider, MedType: st.Category, Mode: string(mode), Document: dem.document, Reason: dem.reason, OpenedOn: dateParam(d.Date),
		OpenedBy: d.By, ClaimedFen: dem.amounts.Fen()})
	if err != nil {
		return "", err
	}
	return string(mode), q.InsertStep(ctx, db.InsertStepParams{CaseID: dem.id, Step: stepOpened, Number: 1, TakenOn: dateParam(d.Date), TakenBy: d.By,
		Reason: dem.reason, Document: dem.document, AmountsFen: dem.amounts.Fen(), Entries: []uuid.UUID{}})
}

// claimOf is the id under which a case's claim lowers its settlement.
func claimOf(id string) string { return "clawback/" + id }

func modeOf(st *settlement.Standing, asked Mode) (Mode, error) {
	outside := st.Kind == settlement.CrossOut
	mode := asked
	if mode == "" {
		if mode = Offset; outside {
			mode = Inbound
		}
	}
	switch {
	case mode != Offset && mode != Remit && mode != Inbound:
		return "", fault.New(fault.Invalid, "%q is no mode: offset, remit or inbound", mode).With("field", "mode")
	case outside && mode != Inbound:
		return "", fault.New(fault.Invalid, "settlement %s was treated in %s, whose books we do not keep: what it sends is inbound, what it deducts before it pays is a deduction", st.SetlID, st.Treating).With("field", "mode")
	case !outside && mode == Inbound:
		return "", fault.New(fault.Invalid, "settlement %s was treated in our city %s: its clawback is offset or remitted", st.SetlID, st.Treating).With("field", "mode")
	}
	return mode, nil
}

// requirePaid refuses a claim on a provider for what it was not paid.
func (t *table) requirePaid(st *settlement.Standing, amounts settlement.Parts) error {
	if st.Kind == settlement.CrossOut {
		return nil
	}
	paid := t.paid[st.SetlID]
	for part, amount := range amounts {
		claimed := st.ClawedBack[part] + amount
		if amount == 0 || claimed <= paid[part] {
			continue
		}
		field := settlement.PartFields()[part]
		return fault.New(fault.Insufficient, "%s: provider %s was paid %s for settlement %s, and %s would be clawed back: deduct what it was not paid", field, st.Provider, paid[part], st.SetlID, claimed).
			With("setl_id", st.SetlID).With("field", field).With("asked", claimed.String()).With("paid", paid[part].String()).With("shortfall", (claimed - paid[part]).String())
	}
	return nil
}

// expenseYears are the fiscal years in which the insured region has posted the
// expense of the amounts, by fund. Errors: Precondition where it has not.
func (r *Recovery) expenseYears(ctx context.Context, tx pgx.Tx, st *settlement.Standing, amounts settlement.Parts, on civil.Date) (map[string]int, error) {
	if st.Run == "" {
		return nil, fault.New(fault.Precondition, "settlement %s is in no clearing run yet, so %s has not paid it and nothing can be remitted: let the clawback be offset, or deduct", st.SetlID, st.Insured).
			With("setl_id", st.SetlID).With("field", "mode")
	}
	funds, err := r.fundsOf(st.Insutype, on)
	if err != nil {
		return nil, err
	}
	years := map[string]int{}
	for part, amount := range amounts {
		if _, known := years[funds[part]]; amount == 0 || known {
			continue
		}
		e, err := r.expenses.ExpenseOf(ctx, tx, st.Run, st.Insured, st.Treating, funds[part])
		if err != nil {
			return nil, err
		}
		if !e.Posted {
			return nil, fault.New(fault.Precondition, "%s has not paid run %s in fund %s to the end, so settlement %s is no expense yet and nothing can be remitted: let the clawback be offset, or wait for the payment",
				st.Insured, st.Run, funds[part], st.SetlID).With("setl_id", st.SetlID).With("run", st.Run).With("fund", funds[part]).With("field", "mode")
		}
		years[funds[part]] = e.Year
	}
	return years, nil
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }
