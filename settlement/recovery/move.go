package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/recovery/internal/db"
)

// Station is where money of a clawback comes.
type Station string

const (
	Received  Station = "received"  // from the provider, to the 支出户 of our treating city
	Deposited Station = "deposited" // into its 财政专户
	Sent      Station = "sent"      // from there to the province
	Arrived   Station = "arrived"   // at the province, from another province
	Home      Station = "home"      // from the province to the insured region
)

// from is where the money of a station comes from: the station before, or the
// claim ("").
var from = map[Mode]map[Station]Station{
	Offset:  {Received: ""},
	Remit:   {Received: "", Deposited: Received, Sent: Deposited, Home: Sent},
	Inbound: {Arrived: "", Home: Arrived},
}

// Movement says that money of a case has come to a station.
type Movement struct {
	Case    string
	Station Station
	// Amounts per part; none means all that can move.
	Amounts   []Amount // Fund is not read
	Date      civil.Date
	By        string
	Reference string // of the bank's voucher; the idempotency key within case and station
}

// requested is the request in a canonical form.
func (m *Movement) requested() string {
	if len(m.Amounts) == 0 {
		return "all"
	}
	texts := make([]string, len(m.Amounts))
	for i, a := range m.Amounts {
		texts[i] = a.Part + "=" + a.Amount.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// Move posts that money of an approved case has come to its next station, in full
// or in part. What is received to be offset becomes a negative record at once,
// for the next clearing run. The same reference with the same content gives the
// case again.
//
// Errors: NotFound, Invalid (form, a station that the mode lacks), Precondition
// (the case is not approved, or is over; the expense is not posted), Insufficient
// (more than is claimed or than lies at the station before, or a bank account
// would go below zero; with field, asked, left and shortfall as details),
// AlreadyExists (the reference stands with other content).
func (r *Recovery) Move(ctx context.Context, m Movement) (*Case, error) {
	if err := checkWho(m.By, m.Date); err != nil {
		return nil, err
	}
	if err := checkText("reference", m.Reference, maxReference); err != nil {
		return nil, err
	}
	return r.take(ctx, m.Case, string(m.Station), m.Reference, func(stands *db.ClawbackStep) error {
		if civil.DateOf(stands.TakenOn) != m.Date || stands.Requested != m.requested() {
			return fault.New(fault.AlreadyExists, "reference %q stands on clawback %s already with other content: %s on %s", m.Reference, m.Case, stands.Requested, civil.DateOf(stands.TakenOn)).
				With("case", m.Case).With("reference", m.Reference)
		}
		return nil
	}, func(s *stepping) error { return s.move(ctx, m) })
}

func (s *stepping) move(ctx context.Context, m Movement) error {
	mode := Mode(s.row.Mode)
	before, ok := from[mode][m.Station]
	if !ok {
		return fault.New(fault.Invalid, "money of clawback %s is returned by mode %s, which has no station %q", s.row.ID, mode, m.Station).With("field", "station")
	}
	if err := s.require(m.Date, Approved); err != nil {
		return err
	}
	left := settlement.PartsOf(s.row.ClaimedFen...)
	if before != "" {
		left = s.moved(string(before))
	}
	amounts, err := m.amounts(left.Minus(s.moved(string(m.Station))), before)
	if err != nil {
		return err
	}
	step := db.InsertStepParams{Step: string(m.Station), Reference: m.Reference, TakenOn: dateParam(m.Date), TakenBy: m.By,
		Requested: m.requested(), AmountsFen: amounts.Fen()}
	if m.Station == Home {
		step.Entries, err = s.goHome(ctx, m, amounts)
	} else {
		step.Entries, err = s.post(ctx, m, amounts)
	}
	if err != nil {
		return err
	}
	if mode == Offset {
		negative := settlement.Negative{ID: fmt.Sprintf("clawback/%d/%s", s.row.Steps+1, s.row.ID), On: m.Date, Amounts: amounts, Title: "追回抵扣", Source: s.row.Document,
			Preparer: m.By, Reviewer: s.approver()}
		standings, err := s.r.settlements.Standings(ctx, s.tx, []string{s.row.SetlID})
		if err != nil {
			return err
		}
		negative.Of, step.Record = standings[s.row.SetlID], negative.ID
		entries, err := s.r.settlements.PostNegatives(ctx, s.tx, []settlement.Negative{negative})
		if err != nil {
			return err
		}
		step.Entries = append(step.Entries, entries...)
	}
	state := Approved
	if m.Station == Home && s.moved(string(Home)).Plus(amounts) == settlement.PartsOf(s.row.ClaimedFen...) {
		state = Returned
	}
	return s.write(ctx, step, state)
}

// amounts are what moves, of what can.
func (m *Movement) amounts(left settlement.Parts, before Station) (amounts settlement.Parts, err error) {
	where := "claimed and not received"
	if before != "" {
		where = "there to move (" + string(before) + ")"
	}
	if len(m.Amounts) == 0 {
		if left == (settlement.Parts{}) {
			return amounts, fault.New(fault.Insufficient, "nothing of clawback %s is %s", m.Case, where).With("left", left.Sum().String())
		}
		return left, nil
	}
	for _, a := range m.Amounts {
		part, err := partOf(a.Part)
		if err != nil {
			return amounts, err
		}
		if a.Amount <= 0 || amounts[part] != 0 {
			return amounts, fault.New(fault.Invalid, "%s: one amount of more than 0.00 is needed, got %s", a.Part, a.Amount).With("field", a.Part)
		}
		if a.Amount > left[part] {
			return amounts, fault.New(fault.Insufficient, "%s: %s is asked and %s of clawback %s is %s", a.Part, a.Amount, left[part], m.Case, where).
				With("field", a.Part).With("asked", a.Amount.String()).With("left", left[part].String()).With("shortfall", (a.Amount - left[part]).String())
		}
		amounts[part] = a.Amount
	}
	return amounts, nil
}

var movedEvent = map[Mode]map[Station]string{
	Offset:  {Received: "clawback.offset.recovered"},
	Remit:   {Received: "clawback.remit.recovered", Deposited: "clawback.remit.deposited", Sent: "clawback.remit.sent"},
	Inbound: {Arrived: "clawback.remit.received"},
}

var stationName = map[Station]string{Received: "追回款收回", Deposited: "追回款缴存财政专户", Sent: "追回款汇省", Arrived: "收到外省追回款", Home: "追回款退回参保地"}

// key is that of the entry of the step that is taken now. The number tells steps
// of a case apart, and stands before texts that may have slashes of their own.
func (s *stepping) key(step string) string {
	return fmt.Sprintf("recovery/%s/%d/%s", step, s.row.Steps+1, s.row.ID)
}

// entry begins the entry of a movement. Its source is the settlement, by which
// what stands open towards a provider is told apart.
func (s *stepping) entry(m Movement, event string) ledger.Entry {
	return ledger.Entry{Key: s.key(string(m.Station)), Date: m.Date, Kind: event, Source: "setl:" + s.row.SetlID, Preparer: m.By, Reviewer: s.approver(),
		Summary: fmt.Sprintf("%s %s %s %s", stationName[m.Station], s.row.SetlID, s.row.Document, m.Reference)}
}

func (s *stepping) approver() string {
	if approved := s.find(stepApproved, ""); approved != nil {
		return approved.TakenBy
	}
	return ""
}

func (s *stepping) post(ctx context.Context, m Movement, amounts settlement.Parts) ([]uuid.UUID, error) {
	event := movedEvent[Mode(s.row.Mode)][m.Station]
	e := s.entry(m, event)
	if err := s.r.draft(&e, &s.row, event, amounts, ""); err != nil {
		return nil, err
	}
	return post(ctx, s.tx, s.r.journal, []ledger.Entry{e})
}

// draft adds the lines of an event, fund by fund.
func (r *Recovery) draft(e *ledger.Entry, c *db.Clawback, event string, amounts settlement.Parts, run string) error {
	funds, err := r.fundsOf(c.Insutype, e.Date)
	if err != nil {
		return err
	}
	regions := map[string]string{"I": c.Insured, "T": c.Treating, "P": r.book.Regions.Home().Code, "provider": c.Provider}
	byFund := map[string][]ledger.Part{}
	var order []string
	for part, amount := range amounts {
		if amount == 0 {
			continue
		}
		if byFund[funds[part]] == nil {
			order = append(order, funds[part])
		}
		byFund[funds[part]] = append(byFund[funds[part]], ledger.Part{Amount: amount, Dimensions: ledger.Dimensions{Category: c.MedType, Part: settlement.PartName(part)}})
	}
	for _, fund := range order {
		lines, err := ledger.Draft(r.book, ledger.Facts{Event: event, Date: e.Date, Fund: fund, Run: run, Regions: regions, Amounts: map[string][]ledger.Part{"amount": byFund[fund]}})
		if err != nil {
			return err
		}
		e.Postings = append(e.Postings, lines...)
	}
	return nil
}

// goHome posts the last leg: to another province as it is, to a city of ours as
// less expense of this fiscal year, or as other income where the expense was of
// an earlier one.
func (s *stepping) goHome(ctx context.Context, m Movement, amounts settlement.Parts) ([]uuid.UUID, error) {
	if region, ok := s.r.book.Regions.Find(s.row.Insured); !ok || region.Kind != accounts.City {
		e := s.entry(m, "clawback.remit.home.out")
		if err := s.r.draft(&e, &s.row, e.Kind, amounts, ""); err != nil {
			return nil, err
		}
		return post(ctx, s.tx, s.r.journal, []ledger.Entry{e})
	}
	standings, err := s.r.settlements.Standings(ctx, s.tx, []string{s.row.SetlID})
	if err != nil {
		return nil, err
	}
	years, err := s.r.expenseYears(ctx, s.tx, standings[s.row.SetlID], amounts, m.Date)
	if err != nil {
		return nil, err
	}
	funds, err := s.r.fundsOf(s.row.Insutype, m.Date)
	if err != nil {
		return nil, err
	}
	same := s.entry(m, "clawback.remit.home.same_year")
	if err := s.r.draft(&same, &s.row, same.Kind, amounts, ""); err != nil {
		return nil, err
	}
	period, err := periodOf(ctx, s.tx, s.r.journal, &same)
	if err != nil {
		return nil, err
	}
	var now, before settlement.Parts
	for part, amount := range amounts {
		if years[funds[part]] < period.Year() {
			before[part] = amount
		} else {
			now[part] = amount
		}
	}
	var entries []ledger.Entry
	for _, leg := range []struct {
		event, step string
		amounts     settlement.Parts
	}{{"clawback.remit.home.same_year", "home", now}, {"clawback.remit.home.earlier_year", "home.earlier", before}} {
		if leg.amounts == (settlement.Parts{}) {
			continue
		}
		e := s.entry(m, leg.event)
		e.Key = s.key(leg.step)
		if err := s.r.draft(&e, &s.row, leg.event, leg.amounts, ""); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return post(ctx, s.tx, s.r.journal, entries)
}

// Settler posts what a clearing run has settled of clawbacks that are offset.
type Settler struct{ Recovery }

// NewSettler returns the settler that clearing uses.
func NewSettler(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Settler {
	return &Settler{*New(store, journal, book, nil, nil)}
}

// Settle posts 2001.03.01 against 1101.03 for the negative records of the run
// whose pair of regions and fund is discharged towards the treating region, once
// each. Whoever calls it holds the run.
func (r *Settler) Settle(ctx context.Context, tx pgx.Tx, run string, on civil.Date, discharged func(insured, treating, fund string) bool) error {
	records, err := settlement.NegativesOfRun(ctx, tx, run)
	if err != nil || len(records) == 0 {
		return err
	}
	rows, err := db.New(tx).StepsOfRecords(ctx, records)
	if err != nil {
		return err
	}
	settled := map[string]settlement.Parts{}
	for i := range rows {
		if rows[i].Step == stepSettled {
			settled[rows[i].Record] = settled[rows[i].Record].Plus(settlement.PartsOf(rows[i].AmountsFen...))
		}
	}
	for i := range rows {
		row := &rows[i]
		if row.Step != string(Received) {
			continue
		}
		funds, err := r.fundsOf(row.Insutype, on)
		if err != nil {
			return err
		}
		byFund := map[string]settlement.Parts{}
		for part, amount := range settlement.PartsOf(row.AmountsFen...).Minus(settled[row.Record]) {
			if amount != 0 && discharged(row.Insured, row.Treating, funds[part]) {
				open := byFund[funds[part]]
				open[part] = amount
				byFund[funds[part]] = open
			}
		}
		for _, fund := range slices.Compact(slices.Sorted(slices.Values(funds[:]))) {
			if amounts := byFund[fund]; amounts != (settlement.Parts{}) {
				if err := r.settle(ctx, tx, row.CaseID, row.Record, run, fund, on, amounts); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// settler signs what clearing settles.
const settler = "clearing"

func (r *Settler) settle(ctx context.Context, tx pgx.Tx, id, record, run, fund string, on civil.Date, amounts settlement.Parts) error {
	s, err := r.lock(ctx, tx, id)
	if err != nil {
		return err
	}
	reference := record + "/" + fund
	e := ledger.Entry{Key: s.key(stepSettled), Date: on, Kind: "clawback.offset.settled", Source: run,
		Summary: "追回款清算抵扣 " + s.row.SetlID, Preparer: settler}
	if err := r.draft(&e, &s.row, e.Kind, amounts, run); err != nil {
		return err
	}
	entries, err := post(ctx, tx, r.journal, []ledger.Entry{e})
	if err != nil {
		return err
	}
	state := State(s.row.State)
	if s.moved(stepSettled).Plus(amounts) == settlement.PartsOf(s.row.ClaimedFen...) {
		state = Returned
	}
	return s.write(ctx, db.InsertStepParams{Step: stepSettled, Reference: reference, TakenOn: dateParam(on), TakenBy: settler, AmountsFen: amounts.Fen(),
		Record: record, RunID: run, Entries: entries}, state)
}
