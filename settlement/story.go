package settlement

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// State is how far a settlement has come.
type State string

const (
	StateImported  State = "imported"  // not all sides have been compared yet
	StateException State = "exception" // the sides do not agree
	StateWaiting   State = "waiting"   // a refund that all sides agree on and that waits for its original
	StatePosted    State = "posted"    // all sides agree; it has its entry, or nothing that a fund pays
	StateWithdrawn State = "withdrawn" // all sides have withdrawn it; if it was posted, what was left is taken back
)

// Settlement is what is known of one settlement.
type Settlement struct {
	SetlID string         `json:"setl_id"`
	Month  accounts.Month `json:"month"` // service month
	State  State          `json:"state"`
	// Sides are what each side says: treating, centre, insured. A side that has
	// said nothing is absent.
	Sides     []SideRecord `json:"sides"`
	Exception *Exception   `json:"exception,omitempty"` // open or resolved; nil where the sides always agreed
	// Entries are those that were posted for it, its acceptance and what corrects
	// that, refunds excepted: these are settlements of their own.
	Entries []*ledger.Record `json:"entries"`
	// BenefitYears are what its acceptance has in each benefit year; none where
	// the insured region is not ours.
	BenefitYears []BenefitShare `json:"benefit_years,omitempty"`
	Run          string         `json:"run,omitempty"` // clearing run that it was taken into
	Refunds      []string       `json:"refunds"`       // serials of refunds that all sides agree on
	// Reductions are what is taken back of it other than by refunds, in order of
	// date: deductions, claims of clawbacks that stand, its withdrawal.
	Reductions []Reduction `json:"reductions"`
	// Withdrawal tells which sides have withdrawn it; nil where none has.
	Withdrawal *Withdrawal `json:"withdrawal,omitempty"`
	// Remaining is what posted refunds and reductions have left of all fund and
	// account parts; 0 of a refund and of one without a valid record.
	Remaining accounts.Fen `json:"remaining"`
}

// Reduction is what is taken back of a settlement other than by a refund.
type Reduction struct {
	ID     string        `json:"id"` // such as "deduction/document/setl_id"
	Kind   ReductionKind `json:"kind"`
	Date   civil.Date    `json:"date"`
	Amount accounts.Fen  `json:"amount"`
	Run    string        `json:"run,omitempty"` // clearing run of its negative record; empty while in none, and for clawbacks
}

// Regions are the insured and treating regions that any side gives; none where
// no side has a valid record.
func (s *Settlement) Regions() []string {
	var regions []string
	for _, side := range s.Sides {
		if side.Content != nil {
			regions = append(regions, side.Content.Insured, side.Content.Treating)
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// SideRecord is what one side says.
type SideRecord struct {
	Side Side   `json:"side"`
	File string `json:"file"`
	Line int64  `json:"line"` // of the file, from 1, the header
	// RejectedAs is the kind under which the row is bad, and Reason why; both are
	// empty for a valid row.
	RejectedAs string   `json:"rejected_as,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Content    *Content `json:"content,omitempty"` // nil for a rejected row
}

// Content is what a valid row says. Names follow the national platform's
// interfaces.
type Content struct {
	MdtrtID   string       `json:"mdtrt_id"`
	PsnNo     string       `json:"psn_no"` // salted hash of the person
	Insutype  string       `json:"insutype"`
	Insured   string       `json:"insu_admdvs"`
	Treating  string       `json:"mdtrtarea_admvs"`
	Provider  string       `json:"fixmedins_code"`
	ClrType   string       `json:"clr_type"`
	MedType   string       `json:"med_type"`
	Admission civil.Date   `json:"begndate"`
	Discharge civil.Date   `json:"enddate"`
	Settled   time.Time    `json:"setl_time"`
	Total     accounts.Fen `json:"medfee_sumamt"`
	FundPay   accounts.Fen `json:"fund_pay_sumamt"` // sum of the seven parts that follow
	Hifp      accounts.Fen `json:"hifp_pay"`
	Cvlserv   accounts.Fen `json:"cvlserv_pay"`
	Hifes     accounts.Fen `json:"hifes_pay"`
	Hifmi     accounts.Fen `json:"hifmi_pay"`
	Hifob     accounts.Fen `json:"hifob_pay"`
	Maf       accounts.Fen `json:"maf_pay"`
	Oth       accounts.Fen `json:"oth_pay"`
	Account   accounts.Fen `json:"acct_pay"`
	Cash      accounts.Fen `json:"psn_cash_pay"`
	Refund    bool         `json:"refund"`
	Original  string       `json:"orig_setl_id,omitempty"`
}

func contentOf(r *record) *Content {
	p := r.parts
	return &Content{
		MdtrtID: r.mdtrtID, PsnNo: r.psnNo, Insutype: r.insutype, Insured: r.insured, Treating: r.treating, Provider: r.provider,
		ClrType: r.clrType, MedType: r.medType, Admission: r.begndate, Discharge: r.enddate, Settled: r.setlTime, Total: r.medfee, FundPay: r.fundPay,
		Hifp: p[0], Cvlserv: p[1], Hifes: p[2], Hifmi: p[3], Hifob: p[4], Maf: p[5], Oth: p[6], Account: p[pAcct], Cash: r.cash,
		Refund: r.refund, Original: r.orig,
	}
}

// Settlement tells the story of one settlement and the position of the journal
// that it has seen, which is at least the given one. Errors: NotFound (no side
// has a row of it, or the journal is shorter).
func (s *Settlements) Settlement(ctx context.Context, setlID string, atLeast ledger.Position) (*Settlement, ledger.Position, error) {
	var story *Settlement
	var seen ledger.Position
	err := s.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		story, err = s.SettlementTx(ctx, tx, setlID)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return story, seen, nil
}

// SettlementTx is Settlement as the transaction sees it.
func (s *Settlements) SettlementTx(ctx context.Context, tx pgx.Tx, setlID string) (*Settlement, error) {
	t := teller{Settlements: s, tx: tx, q: db.New(tx), story: &Settlement{SetlID: setlID, State: StateImported,
		Sides: []SideRecord{}, Entries: []*ledger.Record{}, Refunds: []string{}, Reductions: []Reduction{}}}
	for _, tell := range []func(context.Context) error{t.sides, t.exception, t.entries, t.apart, t.refunds, t.reductions, t.withdrawal} {
		if err := tell(ctx); err != nil {
			return nil, err
		}
	}
	return t.story, nil
}

// teller reads the parts of a story.
type teller struct {
	*Settlements
	tx      pgx.Tx
	q       *db.Queries
	story   *Settlement
	content *record // of the first side that has a valid one
}

func (t *teller) sides(ctx context.Context) error {
	id := t.story.SetlID
	all, err := readSides(ctx, t.q, []string{id})
	if err != nil {
		return err
	}
	said := all[id]
	if said == nil {
		return fault.New(fault.NotFound, "no file has a row of settlement %s", id).With("setl_id", id)
	}
	t.story.Month = said.month()
	contents, err := readContents(ctx, t.q, []string{id})
	if err != nil {
		return err
	}
	files, err := filesOf(ctx, t.q, []*finding{{sides: said}})
	if err != nil {
		return err
	}
	for _, side := range []Side{Treating, Center, Insured} {
		row := said[slices.Index(Sides(), side)]
		if row == nil {
			continue
		}
		record := SideRecord{Side: side, File: files[row.FileID].Name, Line: row.Line}
		switch row.Status {
		case statusRejected:
			record.RejectedAs = row.Kind
			reasons, err := t.q.ReasonOf(ctx, db.ReasonOfParams{FileID: row.FileID, Line: row.Line})
			if err != nil {
				return err
			}
			for _, r := range reasons {
				record.Reason = r.Reason
			}
		case statusConflicting:
			record.RejectedAs, record.Reason = KindConflictingRow, "another line of the file says otherwise"
		}
		if c := contents[id][side]; c != nil {
			record.Content = contentOf(c)
		}
		t.story.Sides = append(t.story.Sides, record)
	}
	for _, side := range Sides() {
		if c := contents[id][side]; c != nil && t.content == nil {
			t.content = c
		}
	}
	return nil
}

func (t *teller) exception(ctx context.Context) error {
	rows, err := t.q.GetException(ctx, t.story.SetlID)
	if err != nil || len(rows) == 0 {
		return err
	}
	r := rows[0]
	list := []Exception{{SetlID: r.SetlID, Month: accounts.Month(r.ServiceMonth), Kind: r.Kind, Detail: r.Detail, Refund: r.Refund, Found: r.FoundAt, ResolvedBy: r.ResolvedBy}}
	if r.ResolvedAt.Valid {
		list[0].Resolved = r.ResolvedAt.Time
	} else {
		t.story.State = StateException
	}
	t.story.Exception = &list[0]
	return describe(ctx, t.q, list)
}

func (t *teller) entries(ctx context.Context) error {
	key := entryKey(t.story.SetlID)
	ids := []uuid.UUID{ledger.EntryID(key)}
	for i := 0; i < len(ids); i++ {
		e, err := t.journal.EntryTx(ctx, t.tx, ids[i])
		if i == 0 && fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if i > 0 && strings.HasPrefix(e.Key, entryKey("")) {
			continue // that of a refund
		}
		if t.story.State = StatePosted; i == 0 {
			t.story.BenefitYears = benefitShares(&e.Entry)
		}
		t.story.Entries = append(t.story.Entries, e)
		ids = append(ids, e.CorrectedBy...)
	}
	slices.SortStableFunc(t.story.Entries, func(a, b *ledger.Record) int {
		return cmp.Compare(uint64(a.Position)-1, uint64(b.Position)-1) // those without a place come last
	})
	return nil
}

func (t *teller) apart(ctx context.Context) error {
	rows, err := t.q.GetApart(ctx, t.story.SetlID)
	for _, r := range rows {
		switch {
		case r.State == statePosted:
			t.story.State = StatePosted
		case t.story.State != StatePosted:
			t.story.State = StateWaiting
			if t.story.Exception == nil || !t.story.Exception.Resolved.IsZero() {
				list := []Exception{{SetlID: r.SetlID, Month: accounts.Month(r.ServiceMonth), Kind: KindRefundWaiting, Detail: r.WaitingFor, Refund: true}}
				t.story.Exception = &list[0]
				if err := describe(ctx, t.q, list); err != nil {
					return err
				}
			}
		}
	}
	if err != nil || t.story.State != StatePosted {
		return err
	}
	runs, err := t.q.RunOfSettlement(ctx, db.RunOfSettlementParams{Month: string(t.story.Month), SetlID: t.story.SetlID})
	for _, run := range runs {
		t.story.Run = run
	}
	return err
}

func (t *teller) refunds(ctx context.Context) error {
	rows, err := t.q.RefundsOf(ctx, t.story.SetlID)
	if err != nil || t.content == nil || t.content.refund {
		return err
	}
	left := t.content.parts
	for i := range rows {
		t.story.Refunds = append(t.story.Refunds, rows[i].SetlID)
		if rows[i].State == statePosted {
			left = left.plus(partsOfApart(&rows[i]))
		}
	}
	t.story.Remaining = left.sum()
	return nil
}

// reductions follows refunds, which sets what they have left.
func (t *teller) reductions(ctx context.Context) error {
	rows, err := t.q.ReductionsOf(ctx, []string{t.story.SetlID})
	if err != nil {
		return err
	}
	records := []string{}
	for _, r := range rows {
		if r.Released {
			continue
		}
		amount := PartsOf(r.PartsFen...).sum()
		t.story.Reductions = append(t.story.Reductions, Reduction{ID: r.ID, Kind: ReductionKind(r.Kind), Date: civil.DateOf(r.LoweredOn), Amount: amount})
		t.story.Remaining -= amount
		records = append(records, r.ID)
	}
	if len(records) == 0 {
		return nil
	}
	runs, err := RunsOfNegatives(ctx, t.tx, records)
	for i := range t.story.Reductions {
		t.story.Reductions[i].Run = runs[t.story.Reductions[i].ID]
	}
	return err
}

func (t *teller) withdrawal(ctx context.Context) error {
	list, err := t.Settlements.withdrawals(ctx, t.tx, t.q, []string{t.story.SetlID})
	if err != nil || len(list) == 0 {
		return err
	}
	t.story.Withdrawal = &list[0]
	if list[0].State != WithdrawalPending {
		t.story.State = StateWithdrawn
	}
	return nil
}
