package clearing

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/ledger"
	"fundledger/settlement"
)

// preparer signs the entries that clearing makes.
const preparer = "clearing"

// freeze fixes the amounts of the run: it moves its obligations to 已清分 (one
// entry per pair of regions, all funds), discharges what comes to nothing
// without money, and issues the notices.
func (c *Clearing) freeze(ctx context.Context, tx pgx.Tx, q *db.Queries, run *Run) error {
	due, err := c.scheduleOf(run.Kind, run.NoticeDate)
	if err != nil {
		return err
	}
	rows, err := settlement.RunTotals(ctx, tx, c.book, run.ID, run.Month)
	if err != nil {
		return err
	}
	shares := make([]*Share, len(rows))
	for i, r := range rows {
		shares[i] = &Share{Insured: r.Insured, Treating: r.Treating, Fund: r.Fund, Category: r.Category, Part: r.Part,
			BenefitYear: r.BenefitYear, Records: r.Records, CarriedOver: r.CarriedOver, Amount: r.Amount}
	}
	slices.SortFunc(shares, compareShares)
	t, err := sum(*run, shares)
	if err != nil {
		return err
	}
	entries, err := c.freezeEntries(*run, shares)
	if err != nil {
		return err
	}
	offsets, err := c.offsetEntries(*run, shares, t)
	if err != nil {
		return err
	}
	entries = append(entries, offsets...)
	if run.Period, err = c.post(ctx, tx, run.NoticeDate, entries); err != nil {
		return err
	}
	if err := c.settleClawbacks(ctx, tx, run.ID, run.NoticeDate, shares); err != nil {
		return err
	}
	if err := insertShares(ctx, q, run.ID, shares); err != nil {
		return err
	}
	if err := insertNotices(ctx, q, *run, c.draftNotices(*run, due, t)); err != nil {
		return err
	}
	run.State = Frozen
	return q.FreezeRun(ctx, db.FreezeRunParams{Period: string(run.Period), ID: run.ID})
}

// post gives the entries one period that is open in all their books and
// appends all or none of them.
func (c *Clearing) post(ctx context.Context, tx pgx.Tx, date civil.Date, entries []ledger.Entry) (accounts.Month, error) {
	books := map[accounts.Book]bool{}
	for _, e := range entries {
		for _, p := range e.Postings {
			books[p.Account.Book] = true
		}
	}
	period, err := c.journal.OpenPeriod(ctx, tx, accounts.MonthOf(date), slices.Sorted(maps.Keys(books))...)
	if err != nil {
		return "", err
	}
	for i := range entries {
		entries[i].Date, entries[i].Period, entries[i].Preparer = date, period, preparer
	}
	results, err := c.journal.PostTx(ctx, tx, entries)
	if err != nil {
		return "", err
	}
	for _, r := range results {
		if r.Err != nil {
			return "", r.Err
		}
	}
	return period, nil
}

var frozenEvent = map[Kind]string{InProvince: "run.frozen.in_province", CrossOut: "run.frozen.out", CrossIn: "run.frozen.in"}

// freezeEntries drafts .01 → .02 for each pair of regions.
func (c *Clearing) freezeEntries(run Run, shares []*Share) ([]ledger.Entry, error) {
	var entries []ledger.Entry
	for rest := shares; len(rest) > 0; {
		pair := upTo(rest, func(a, b *Share) bool { return a.Insured == b.Insured && a.Treating == b.Treating })
		rest = rest[len(pair):]
		insured, treating := pair[0].Insured, pair[0].Treating
		e := ledger.Entry{
			Key: fmt.Sprintf("clear/%s/%s/%s", run.ID, insured, treating), Kind: frozenEvent[run.Kind], Source: run.ID,
			Summary: fmt.Sprintf("%s %s清分 %s→%s", run.Month, kindName[run.Kind], c.regionName(insured), c.regionName(treating)),
		}
		regions := map[string]string{"I": insured, "T": treating, "P": c.book.Regions.Home().Code, "X": treating}
		if run.Kind == CrossIn {
			regions["X"] = insured
		}
		for funds := pair; len(funds) > 0; {
			fund := upTo(funds, func(a, b *Share) bool { return a.Fund == b.Fund })
			funds = funds[len(fund):]
			parts := make([]ledger.Part, len(fund))
			for i, s := range fund {
				parts[i] = ledger.Part{Amount: s.Amount, Dimensions: ledger.Dimensions{Category: s.Category, Part: s.Part, BenefitYear: s.BenefitYear}}
			}
			if err := c.draft(&e, run, fund[0].Fund, frozenEvent[run.Kind], run.NoticeDate, regions, amounts{"amount": parts}); err != nil {
				return nil, err
			}
		}
		if len(e.Postings) > 0 {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// offsetEntries discharges at once what a city neither pays nor gets: both
// sides of a net of zero (J47), and a gross total of zero that it owes other
// provinces. What it is owed by them needs their money, so it waits for it.
func (c *Clearing) offsetEntries(run Run, shares []*Share, t totals) ([]ledger.Entry, error) {
	entries := map[string]*ledger.Entry{}
	for _, key := range t.keys() {
		of := t[key]
		if !c.isCity(key.party) || of.Payable != of.Receivable {
			continue
		}
		var event string
		var given amounts
		switch {
		case run.Kind == InProvince:
			payable, receivable, err := dischargeBoth(shares, key, of.Payable, of.Receivable)
			if err != nil {
				return nil, err
			}
			event = "net.offset"
			given = netAmounts(0, payable, receivable)
		case run.Kind == CrossOut:
			payable, err := insuredSide.discharge(insuredSide.of(shares, key.party, key.fund), 0)
			if err != nil {
				return nil, err
			}
			event = "out.city_paid"
			given = amounts{"cash": {}, "payable": payable}
		case !of.pairs:
			if _, err := treatingSide.discharge(treatingSide.of(shares, key.party, key.fund), 0); err != nil {
				return nil, err
			}
			continue
		default:
			continue
		}
		e := entries[key.party]
		if e == nil {
			e = &ledger.Entry{
				Key: fmt.Sprintf("offset/%s/%s", run.ID, key.party), Kind: event, Source: run.ID,
				Summary: fmt.Sprintf("%s %s清算轧平 %s", run.Month, kindName[run.Kind], c.regionName(key.party)),
			}
			entries[key.party] = e
		}
		if err := c.draft(e, run, key.fund, event, run.NoticeDate, c.partyRegions(run, key.party), given); err != nil {
			return nil, err
		}
	}
	var drafted []ledger.Entry
	for _, party := range slices.Sorted(maps.Keys(entries)) {
		if e := entries[party]; len(e.Postings) > 0 {
			drafted = append(drafted, *e)
		}
	}
	return drafted, nil
}

// upTo returns the first shares that are alike.
func upTo(shares []*Share, alike func(a, b *Share) bool) []*Share {
	n := 1
	for n < len(shares) && alike(shares[0], shares[n]) {
		n++
	}
	return shares[:n]
}

func insertShares(ctx context.Context, q *db.Queries, run string, shares []*Share) error {
	p := db.InsertPartsParams{Run: run}
	for _, s := range shares {
		p.Insured, p.Treating, p.Funds = append(p.Insured, s.Insured), append(p.Treating, s.Treating), append(p.Funds, s.Fund)
		p.Categories, p.Parts, p.Years = append(p.Categories, s.Category), append(p.Parts, s.Part), append(p.Years, int64(s.BenefitYear))
		p.Records, p.Carried, p.Amounts = append(p.Records, s.Records), append(p.Carried, s.CarriedOver), append(p.Amounts, int64(s.Amount))
		p.PaidInsured, p.PaidTreating = append(p.PaidInsured, int64(s.PaidInsured)), append(p.PaidTreating, int64(s.PaidTreating))
	}
	if len(shares) == 0 {
		return nil
	}
	return q.InsertParts(ctx, p)
}
