package year

import (
	"context"
	"fmt"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// Year is the fiscal year of the scenario, First the month that the books begin in.
const (
	Year                 = 2025
	First accounts.Month = "2025-01"
)

const (
	opened                 = First
	last    accounts.Month = "2025-12" // the last month of settlements
	through accounts.Month = "2026-03" // by then all of the year is cleared and paid (J49)
)

// Options say which year to run. The same options give the same year.
type Options struct {
	Settlements int // of a month
	Seed        uint64
	Folder      string            // for the settlement files; it must exist
	Log         func(line string) // hears of each month; nil: nobody does
}

// run is a year that is being run.
type run struct {
	Options
	ctx         context.Context
	store       accounts.Store
	book        *accounts.Rulebook
	journal     *ledger.Journal
	settlements *settlement.Settlements
	clearing    *clearing.Clearing
	prepayments *prepayment.Prepayments
	recovery    *recovery.Recovery
	desk        *provider.Desk
	signers     *signers

	home     string
	bills    map[accounts.Month][]*bill
	used     map[string]bool // settlements that the scenario has chosen for something
	chosen   map[string]*bill
	cases    map[string]string   // clawbacks of chosen bills, by the same name
	credited []prepayment.Charge // interest
	table    Table
	last     held // the holdings at the end of the month before
}

// step is what is done in each month, on days of it.
type step struct {
	name string
	do   func(accounts.Month) error
}

// steps are in the order of a month. The closing of the month, and that of the
// year in its last one, has its place behind the checks.
func (r *run) steps() []step {
	return []step{
		{"quotas", r.quotas},
		{"prepayments move", r.movePrepayments},
		{"providers are paid", r.payProviders},
		{"remittances", r.remit},
		{"audit", r.audit},
		{"patients and fee checks", r.patients},
		{"clearing", r.clear},
		{"top-ups", r.topUps},
		{"settlements", r.settle},
		{"interest", r.interest},
		{"checks", r.check},
		{"table", r.close},
	}
}

// Run runs the year on open books without entries and returns its table. It
// fails where a check finds anything, and where the scenario cannot go on as it
// should.
func Run(ctx context.Context, store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook, options Options) (*Table, error) {
	signers, err := newSigners()
	if err != nil {
		return nil, err
	}
	clear := clearing.New(store, journal, book)
	r := &run{Options: options, ctx: ctx, store: store, book: book, journal: journal, clearing: clear, signers: signers,
		settlements: settlement.New(store, journal, book), prepayments: prepayment.New(store, journal, book),
		recovery: recovery.New(store, journal, book, provider.PaidOf, clear), desk: provider.New(store, journal, book),
		home: book.Regions.Home().Code, bills: map[accounts.Month][]*bill{}, used: map[string]bool{}, chosen: map[string]*bill{}, cases: map[string]string{}}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	for month := opened; month <= through; month = month.Add(1) {
		for _, step := range r.steps() {
			if err := step.do(month); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", month, step.name, err)
			}
		}
	}
	if err := r.reports(); err != nil {
		return nil, err
	}
	return &r.table, r.checkBundle()
}

func (r *run) say(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}

// on is a day of the month.
func on(month accounts.Month, day int) civil.Date { return month.First().AddDays(day - 1) }
