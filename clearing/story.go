package clearing

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// Story is everything that became of one settlement.
type Story struct {
	*settlement.Settlement
	// Clearing is what its run made of it; nil while it is in no run.
	Clearing *ClearingStory `json:"clearing,omitempty"`
	// RefundStories are its refunds, one by one.
	RefundStories []RefundStory        `json:"refund_stories"`
	Deductions    []recovery.Deduction `json:"deductions"`
	Clawbacks     []*recovery.Case     `json:"clawbacks"`
	// ProviderPaid is what the provider was paid of it, by fund and part; empty
	// where another province treated.
	ProviderPaid []provider.Paid `json:"provider_paid"`
}

// ClearingStory is a run with the notices and remittances that touch a settlement:
// those of its insured and its treating region, in its funds. Notices and
// remittances are of all records of the run together.
type ClearingStory struct {
	Run         string        `json:"run"`
	NoticeDate  civil.Date    `json:"notice_date"`
	Notices     []Notice      `json:"notices"`
	Remittances []*Remittance `json:"remittances"`
}

// RefundStory is one refund of a settlement.
type RefundStory struct {
	SetlID string           `json:"setl_id"`
	State  settlement.State `json:"state"`
	Date   civil.Date       `json:"date,omitzero"` // of its entry; zero while it has none
	Entry  uuid.NullUUID    `json:"entry,omitzero"`
	Run    string           `json:"run,omitempty"`
	Amount accounts.Fen     `json:"amount"` // negative
}

// Story tells the whole story of one settlement, and the position of the journal
// that it has seen, at least the given one. Errors: NotFound (no side has a row of
// it, or the journal is shorter).
func (c *Clearing) Story(ctx context.Context, setlID string, atLeast ledger.Position) (story *Story, seen ledger.Position, err error) {
	err = c.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		story, err = c.storyTx(ctx, tx, setlID)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return story, seen, nil
}

// casesOfOne bounds what a story lists of one settlement.
const casesOfOne = 1000

func (c *Clearing) storyTx(ctx context.Context, tx pgx.Tx, setlID string) (*Story, error) {
	settlements := settlement.New(c.store, c.journal, c.book)
	told, err := settlements.SettlementTx(ctx, tx, setlID)
	if err != nil {
		return nil, err
	}
	story := &Story{Settlement: told, RefundStories: []RefundStory{}, ProviderPaid: []provider.Paid{}}
	for _, id := range told.Refunds {
		refund, err := settlements.SettlementTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		r := RefundStory{SetlID: id, State: refund.State, Run: refund.Run}
		for _, side := range refund.Sides {
			if side.Content != nil {
				r.Amount = side.Content.FundPay + side.Content.Account
			}
		}
		if len(refund.Entries) > 0 {
			r.Date, r.Entry = refund.Entries[0].Date, uuid.NullUUID{UUID: refund.Entries[0].ID, Valid: true}
		}
		story.RefundStories = append(story.RefundStories, r)
	}
	if story.Deductions, err = c.settler.DeductionsTx(ctx, tx, recovery.Query{SetlID: setlID, Limit: casesOfOne}); err != nil {
		return nil, err
	}
	if story.Clawbacks, err = c.settler.CasesTx(ctx, tx, recovery.Query{SetlID: setlID, Limit: casesOfOne}); err != nil {
		return nil, err
	}
	paid, err := provider.PaidOf(ctx, tx, []string{setlID})
	if err != nil {
		return nil, err
	}
	story.ProviderPaid = append(story.ProviderPaid, paid[setlID]...)
	if told.Run != "" {
		story.Clearing, err = c.clearingStory(ctx, tx, told)
	}
	return story, err
}

func (c *Clearing) clearingStory(ctx context.Context, tx pgx.Tx, told *settlement.Settlement) (*ClearingStory, error) {
	q := db.New(tx)
	run, err := frozenRun(ctx, q, told.Run)
	if err != nil {
		return nil, err
	}
	story := &ClearingStory{Run: run.ID, NoticeDate: run.NoticeDate, Notices: []Notice{}, Remittances: []*Remittance{}}
	funds := fundsOf(told)
	for _, party := range told.Regions() {
		ids, err := q.NoticesOfParty(ctx, db.NoticesOfPartyParams{Run: run.ID, Party: party})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			notice, err := c.readNotice(ctx, q, id)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(notice.Lines, func(l NoticeLine) bool { return slices.Contains(funds, l.Fund) }) {
				continue
			}
			paid, err := q.ListRemittances(ctx, []string{id})
			if err != nil {
				return nil, err
			}
			for _, p := range paid {
				notice.addPaid(p)
				if slices.ContainsFunc(p.Funds, func(fund string) bool { return slices.Contains(funds, fund) }) {
					story.Remittances = append(story.Remittances, remittanceOf(p))
				}
			}
			story.Notices = append(story.Notices, notice)
		}
	}
	return story, nil
}

// fundsOf are the funds that the entries of a settlement touch.
func fundsOf(told *settlement.Settlement) (funds []string) {
	for _, e := range told.Entries {
		for _, p := range e.Postings {
			funds = append(funds, p.Account.Fund)
		}
	}
	slices.Sort(funds)
	return slices.Compact(funds)
}
