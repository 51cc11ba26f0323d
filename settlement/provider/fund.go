package provider

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Funding brings money from a region's fiscal account to its spending account,
// out of which providers and patients are paid.
type Funding struct {
	Region    string
	Lines     []Line
	Date      civil.Date
	Reference string // of the bank's voucher, the idempotency key
	By        string
}

// Funded is a funding as posted.
type Funded struct {
	Reference string    `json:"reference"`
	Entry     uuid.UUID `json:"entry"`
	Replayed  bool      `json:"replayed,omitempty"`
}

// Fund posts a funding (财政专户拨支出户). Errors: Invalid, NotFound (fund),
// AlreadyExists (the reference with other content), Insufficient (the fiscal account lacks the
// money, with account and shortfall), PeriodClosed.
func (d *Desk) Fund(ctx context.Context, f Funding) (*Funded, error) {
	if err := required("reference", f.Reference, "by", f.By); err != nil {
		return nil, err
	}
	if r, ok := d.book.Regions.Find(f.Region); !ok || r.Kind == accounts.Counterparty {
		return nil, fault.New(fault.Invalid, "%q keeps no book here", f.Region).With("field", "region")
	}
	if err := needDate(f.Date, "date"); err != nil {
		return nil, err
	}
	if len(f.Lines) == 0 {
		return nil, fault.New(fault.Invalid, "name the funds and amounts").With("field", "lines")
	}
	if err := d.checkLines(f.Lines); err != nil {
		return nil, err
	}
	e := ledger.Entry{Key: "funding/" + f.Region + "/" + f.Reference, Date: f.Date, Kind: eventFunded, Source: f.Reference,
		Summary: "财政专户拨支出户 " + f.Reference, Preparer: f.By}
	for _, line := range f.Lines {
		if err := d.add(&e, eventFunded, line.Fund, map[string]string{"H": f.Region}, ledger.Total(line.Amount)); err != nil {
			return nil, err
		}
	}
	made := &Funded{Reference: f.Reference}
	err := d.store.InTx(ctx, func(tx pgx.Tx) error {
		id, replayed, err := d.post(ctx, tx, e)
		made.Entry, made.Replayed = id.UUID, replayed
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
