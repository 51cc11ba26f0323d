package recovery

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/recovery/internal/db"
)

// Decision asks to take the lines back, all or none.
type Decision struct {
	Lines []Line
	Date  civil.Date // of the decision, and of what is posted for it
	By    string     // who enters it
	// Mode is how clawbacks are returned; empty: offset, and inbound where another
	// province treated.
	Mode Mode
}

// Deduction (审核扣款) is what a document has deducted from a settlement.
type Deduction struct {
	ID       string       `json:"deduction"` // document/setl_id
	SetlID   string       `json:"setl_id"`
	Insured  string       `json:"insured"`
	Treating string       `json:"treating"`
	Provider string       `json:"provider"`
	Document string       `json:"document"`
	Reason   string       `json:"reason"`
	Date     civil.Date   `json:"date"`
	By       string       `json:"by"`
	Asked    accounts.Fen `json:"asked"`
	Deducted accounts.Fen `json:"deducted"`
	Parts    []Amount     `json:"parts"` // what was deducted of each part
	// Case is the clawback that was opened for what the provider has been paid;
	// empty where nothing had been.
	Case     string        `json:"case,omitempty"`
	Entry    uuid.NullUUID `json:"entry,omitzero"` // none where the provider has been paid all of it
	Run      string        `json:"run,omitempty"`  // clearing run that took the negative record in
	Replayed bool          `json:"replayed,omitempty"`
}

// Amount is an amount of one part.
type Amount struct {
	Part   string       `json:"part"`
	Fund   string       `json:"fund"`
	Amount accounts.Fen `json:"amount"`
}

// recordOfDeduction names the negative record of a deduction.
func recordOfDeduction(id string) string { return "deduction/" + id }

// Deduct takes off what the providers have not been paid, and opens a clawback
// for the rest of each document and settlement. The same lines again change
// nothing.
//
// Errors: Invalid (form; every bad line named), NotFound (a settlement that is
// not posted), Insufficient (more than is left of a part, with field, asked, left
// and shortfall as details), AlreadyExists (the document has decided otherwise on
// the settlement), Precondition (a clawback to be remitted whose expense is not
// posted yet).
func (r *Recovery) Deduct(ctx context.Context, d Decision) ([]Deduction, error) {
	var made []Deduction
	err := r.decide(ctx, d, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t *table, dem *demand) error {
		stands, err := q.GetDeduction(ctx, dem.id)
		if err != nil {
			return err
		}
		if len(stands) > 0 {
			done, err := r.replayDeduction(stands[0], d, dem)
			made = append(made, done)
			return err
		}
		done, err := r.deduct(ctx, tx, q, t, d, dem)
		made = append(made, done)
		return err
	}, func() { made = []Deduction{} })
	if err != nil {
		return nil, err
	}
	return made, nil
}

// table is what the lines of a decision are measured against.
type table struct {
	standings map[string]*settlement.Standing
	paid      map[string]settlement.Parts
}

// decide calls each for every demand in one transaction; reset forgets what an
// earlier attempt has done.
func (r *Recovery) decide(ctx context.Context, d Decision, each func(context.Context, pgx.Tx, *db.Queries, *table, *demand) error, reset func()) error {
	list, err := demands(d.Lines)
	if err != nil {
		return err
	}
	if err := checkWho(d.By, d.Date); err != nil {
		return err
	}
	ids := make([]string, len(list))
	for i, dem := range list {
		ids[i] = dem.setlID
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return r.store.InTx(ctx, func(tx pgx.Tx) error {
		reset()
		t, err := r.table(ctx, tx, ids)
		if err != nil {
			return err
		}
		var bad problems
		for _, dem := range list {
			err := each(ctx, tx, db.New(tx), t, dem)
			if err == nil {
				continue
			}
			known, ok := err.(*fault.Error)
			if !ok {
				return err // the database's, for which the transaction may run again
			}
			field, where := known.Detail("field"), dem.where
			if part, unknown := partOf(field); unknown == nil && dem.places[part] != "" {
				field, where = "amount", dem.places[part]
			} else if field == "" {
				field = "setl_id"
			}
			bad.add(where, field, known)
		}
		return bad.err()
	})
}

func (r *Recovery) table(ctx context.Context, tx pgx.Tx, ids []string) (*table, error) {
	standings, err := r.settlements.Standings(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	paid, err := r.paidOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	t := &table{standings, map[string]settlement.Parts{}}
	for id, list := range paid {
		st := standings[id]
		if st == nil {
			continue
		}
		funds, err := r.fundsOf(st.Insutype, st.SettledOn)
		if err != nil {
			return nil, err
		}
		parts := t.paid[id]
		for _, p := range list {
			for part := range parts {
				if funds[part] == p.Fund && settlement.PartName(part) == p.Part {
					parts[part] += p.Amount
				}
			}
		}
		t.paid[id] = parts
	}
	return t, nil
}

// standing is the settlement that a demand is about, if it can be.
func (t *table) standing(dem *demand, on civil.Date) (*settlement.Standing, error) {
	st := t.standings[dem.setlID]
	if st == nil {
		return nil, fault.New(fault.NotFound, "settlement %s is not posted, or is a refund itself", dem.setlID).With("setl_id", dem.setlID)
	}
	if on.Before(st.SettledOn) {
		return nil, fault.New(fault.Invalid, "a decision of %s lies before settlement %s of %s", on, st.SetlID, st.SettledOn).With("field", "date")
	}
	return st, nil
}

func (r *Recovery) deduct(ctx context.Context, tx pgx.Tx, q *db.Queries, t *table, d Decision, dem *demand) (done Deduction, err error) {
	st, err := t.standing(dem, d.Date)
	if err != nil {
		return done, err
	}
	if err := st.Require(dem.amounts); err != nil {
		return done, err
	}
	deducted := t.unpaidOf(st, dem.amounts)
	rest := dem.amounts.Minus(deducted)
	row := db.InsertDeductionParams{ID: dem.id, SetlID: st.SetlID, Insutype: st.Insutype, Insured: st.Insured, Treating: st.Treating, Provider: st.Provider,
		Document: dem.document, Reason: dem.reason, DecidedOn: dateParam(d.Date), DecidedBy: d.By, AskedFen: dem.amounts.Fen(), DeductedFen: deducted.Fen()}
	if deducted != (settlement.Parts{}) {
		record := recordOfDeduction(dem.id)
		if err := r.settlements.Reduce(ctx, tx, st, settlement.Deducted, record, d.Date, deducted); err != nil {
			return done, err
		}
		entries, err := r.settlements.PostNegatives(ctx, tx, []settlement.Negative{{ID: record, Of: st, On: d.Date, Amounts: deducted,
			Title: "审核扣款", Source: dem.document, Preparer: d.By}})
		if err != nil {
			return done, err
		}
		row.Entry = uuid.NullUUID{UUID: entries[0], Valid: true}
	}
	if rest != (settlement.Parts{}) {
		opened := *dem
		opened.amounts = rest
		if row.RestMode, err = r.open(ctx, tx, q, t, d, &opened); err != nil {
			return done, err
		}
	}
	if err := q.InsertDeduction(ctx, row); err != nil {
		return done, err
	}
	return r.deductionOf(db.Deduction(row))
}

// unpaidOf is how much of the amounts the provider has not been paid, part by
// part. What another province pays its providers we do not see: all of it counts
// as unpaid.
func (t *table) unpaidOf(st *settlement.Standing, amounts settlement.Parts) settlement.Parts {
	if st.Kind == settlement.CrossOut {
		return amounts
	}
	unpaid := st.Payable().Minus(t.paid[st.SetlID])
	for part := range amounts {
		amounts[part] = min(amounts[part], max(unpaid[part], 0))
	}
	return amounts
}

// fundsOf are the funds of all parts.
func (r *Recovery) fundsOf(insutype string, on civil.Date) (funds [8]string, err error) {
	for part := range funds {
		if funds[part], err = r.settlements.FundOf(part, insutype, on); err != nil {
			return funds, err
		}
	}
	return funds, nil
}

func (r *Recovery) replayDeduction(row db.Deduction, d Decision, dem *demand) (Deduction, error) {
	mode := string(d.Mode)
	if mode == "" || row.RestMode == "" {
		mode = row.RestMode
	}
	same := settlement.PartsOf(row.AskedFen...) == dem.amounts && row.Reason == dem.reason && civil.DateOf(row.DecidedOn) == d.Date && row.RestMode == mode
	if !same {
		return Deduction{}, fault.New(fault.AlreadyExists, "document %s has decided on settlement %s already with other content (%s on %s, %q)",
			row.Document, row.SetlID, settlement.PartsOf(row.AskedFen...).Sum(), civil.DateOf(row.DecidedOn), row.Reason).With("setl_id", row.SetlID).With("document", row.Document)
	}
	done, err := r.deductionOf(row)
	done.Replayed = true
	return done, err
}

func (r *Recovery) deductionOf(row db.Deduction) (d Deduction, err error) {
	d = Deduction{ID: row.ID, SetlID: row.SetlID, Insured: row.Insured, Treating: row.Treating, Provider: row.Provider, Document: row.Document,
		Reason: row.Reason, Date: civil.DateOf(row.DecidedOn), By: row.DecidedBy, Asked: settlement.PartsOf(row.AskedFen...).Sum(),
		Deducted: settlement.PartsOf(row.DeductedFen...).Sum(), Entry: row.Entry}
	if row.RestMode != "" {
		d.Case = row.ID
	}
	d.Parts, err = r.amountsOf(settlement.PartsOf(row.DeductedFen...), row.Insutype, d.Date)
	return d, err
}

// amountsOf names the parts and their funds.
func (r *Recovery) amountsOf(p settlement.Parts, insutype string, on civil.Date) ([]Amount, error) {
	funds, err := r.fundsOf(insutype, on)
	list := []Amount{}
	for part, amount := range p {
		if amount != 0 {
			list = append(list, Amount{Part: settlement.PartFields()[part], Fund: funds[part], Amount: amount})
		}
	}
	return list, err
}
