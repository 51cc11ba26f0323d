package provider

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider/internal/db"
)

// payables is what is open towards a provider, in no list yet.
type payables struct {
	taken   ledger.Position // lines up to here are among the items
	version int64           // of the account's row
	items   map[itemKey]Item
}

// read reads what is open from the last list on, as the journal stands now.
func (d *Desk) read(ctx context.Context, treating, provider string) (*payables, error) {
	reached, err := d.journal.CatchUp(ctx)
	if err != nil {
		return nil, err
	}
	var p *payables
	err = d.journal.View(ctx, reached, func(tx pgx.Tx, at ledger.Position) (err error) {
		p, err = d.readTx(ctx, tx, at, treating, provider)
		return err
	})
	return p, err
}

func (d *Desk) readTx(ctx context.Context, tx pgx.Tx, at ledger.Position, treating, provider string) (*payables, error) {
	q := db.New(tx)
	p := &payables{items: map[itemKey]Item{}}
	rows, err := q.GetAccount(ctx, db.GetAccountParams{Treating: treating, Provider: provider})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		p.taken, p.version = ledger.Position(r.Taken), r.Version
	}
	open, err := q.ReadOpen(ctx, db.ReadOpenParams{Treating: treating, Provider: provider})
	if err != nil {
		return nil, err
	}
	for _, data := range open {
		items, err := decodeItems(data)
		if err != nil {
			return nil, err
		}
		p.add(items...)
	}
	subject, err := d.payable()
	if err != nil {
		return nil, err
	}
	for _, fund := range d.book.Funds {
		account := accounts.Account{Book: accounts.BookOf(treating, accounts.Agency), Fund: fund.Code, Subject: subject, Counterparty: provider}
		err := d.journal.LinesTx(ctx, tx, account, p.taken, at, civil.Date{}, civil.Date{}, func(lines []ledger.EntryLine) error {
			t, err := d.trace(ctx, tx, lines)
			if err == nil {
				p.add(t.items(lines)...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	p.taken = at
	return p, nil
}

// add merges items; what comes to nothing is gone.
func (p *payables) add(items ...Item) {
	for _, i := range items {
		key := i.key()
		if before, ok := p.items[key]; ok {
			before.Amount += i.Amount
			i = before
		}
		if p.items[key] = i; i.Amount == 0 {
			delete(p.items, key)
		}
	}
}

func (p *payables) sorted(order func(a, b Item) int) []Item {
	return slices.SortedFunc(maps.Values(p.items), order)
}

// ownKey begins the keys of entries that are posted here: what they pay is
// taken off when a list is made, not when its entry is seen.
const ownKey = "provider/"

// tracing finds the settlements of entries.
type tracing struct {
	settlements map[uuid.UUID]string // by entry
	accepted    map[string]*settlement.Accepted
}

// trace finds the settlement of each line: the entry has accepted it, or
// names it as its source, or corrects an entry that has accepted it.
func (d *Desk) trace(ctx context.Context, tx pgx.Tx, lines []ledger.EntryLine) (*tracing, error) {
	t := &tracing{settlements: map[uuid.UUID]string{}}
	corrected := map[uuid.UUID][]uuid.UUID{}
	for _, l := range lines {
		e := l.Entry
		source, named := strings.CutPrefix(e.Source, "setl:")
		switch id := settlement.SettlementOf(e.Key); {
		case id != "":
			t.settlements[e.ID] = id
		case named:
			t.settlements[e.ID] = source
		case e.Corrects.Valid:
			corrected[e.Corrects.UUID] = append(corrected[e.Corrects.UUID], e.ID)
		}
	}
	if len(corrected) > 0 {
		originals, err := d.journal.EntriesTx(ctx, tx, slices.Collect(maps.Keys(corrected)))
		if err != nil {
			return nil, err
		}
		for original, entries := range corrected {
			for _, id := range entries {
				if r := originals[original]; r != nil && settlement.SettlementOf(r.Key) != "" {
					t.settlements[id] = settlement.SettlementOf(r.Key)
				}
			}
		}
	}
	ids := slices.Sorted(maps.Values(t.settlements))
	var err error
	t.accepted, err = settlement.AcceptedOf(ctx, tx, d.book, slices.Compact(ids))
	return t, err
}

// of is the settlement of an entry, nil where it has none.
func (t *tracing) of(e *ledger.Record) *settlement.Accepted { return t.accepted[t.settlements[e.ID]] }

// items turns lines into items.
func (t *tracing) items(lines []ledger.EntryLine) []Item {
	items := make([]Item, 0, len(lines))
	for _, l := range lines {
		if strings.HasPrefix(l.Entry.Key, ownKey) {
			continue
		}
		item := Item{SetlID: "entry/" + l.Entry.ID.String(), Fund: l.Account.Fund, On: l.Entry.Date, Amount: -l.Signed()}
		a := t.of(l.Entry)
		if a == nil {
			items = append(items, item)
			continue
		}
		item.SetlID, item.Insured, item.On = cmp.Or(a.Original, a.SetlID), a.Insured, a.On
		for _, due := range partsOf(l, a) {
			item.Part, item.Amount = due.Part, due.Amount
			items = append(items, item)
		}
	}
	return items
}

// partsOf divides a line by the parts of its fund: as the settlement says
// where the line is its acceptance, else as the other lines of the entry say,
// else all is of the fund's first part.
func partsOf(l ledger.EntryLine, a *settlement.Accepted) []settlement.Due {
	var dues, other []settlement.Due
	for _, due := range a.Dues {
		if due.Fund == l.Account.Fund {
			dues = append(dues, due)
		}
	}
	for _, p := range l.Entry.Postings {
		if p.Account.Fund == l.Account.Fund && p.BenefitYear != 0 {
			other = append(other, settlement.Due{Fund: l.Account.Fund, Part: p.Part, Amount: -p.Signed()})
		}
	}
	amount := -l.Signed()
	for _, said := range [][]settlement.Due{dues, other} {
		if sum(said) == amount && len(said) > 0 {
			return said
		}
	}
	part := ""
	if len(dues) > 0 {
		part = dues[0].Part
	}
	return []settlement.Due{{Fund: l.Account.Fund, Part: part, Amount: amount}}
}

func sum(dues []settlement.Due) (total accounts.Fen) {
	for _, d := range dues {
		total += d.Amount
	}
	return total
}
