package ledger

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// reversalKind is the kind of the entries that only Reverse makes.
const reversalKind = "reversal"

// correctedPrefix stands before an entry's id among the versions of a batch:
// its corrections are numbered as a floor's balances are, so that they are
// sealed in their order and behind the entry.
const correctedPrefix = "entry:"

// readCorrected looks up the entries that drafts correct. Only they pay for it.
func (p *posting) readCorrected(ctx context.Context) error {
	var ids []uuid.UUID
	for _, d := range p.drafts {
		if c := p.entries[d.index].Corrects; c.Valid {
			ids = append(ids, c.UUID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := p.queries.ReadCorrected(ctx, ids)
	p.corrected = make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		p.corrected[r.ID] = r.Version
	}
	return err
}

// refuseCorrection: what is corrected stands in the journal, or before the
// entry in the same call.
func (a *application) refuseCorrection(e *Entry) *fault.Error {
	if e.Kind == reversalKind && a.reversed[e.ID()] == nil {
		return invalid(e, "an entry of kind %s is made by reversing another one", reversalKind)
	}
	if !e.Corrects.Valid {
		return nil
	}
	if _, ok := a.corrected[e.Corrects.UUID]; ok {
		return nil
	}
	if _, ok := a.applied[e.Corrects.UUID]; ok {
		return nil
	}
	return fault.New(fault.NotFound, "the journal has no entry %s, which this one corrects", e.Corrects.UUID).
		With("key", e.Key).With("corrects", e.Corrects.UUID.String())
}

// writeCorrections links the originals to what corrects them, and adds the
// versions of their corrections to those of the floors.
func (p *posting) writeCorrections(ctx context.Context, versions map[string]int64) error {
	var arg db.InsertCorrectionsParams
	for _, d := range p.drafts {
		e := &p.entries[d.index]
		if !e.Corrects.Valid {
			continue
		}
		original, version := e.Corrects.UUID, p.corrected[e.Corrects.UUID]+1
		amounts := ""
		if of := p.reversed[e.ID()]; of != nil {
			amounts = string(encodeAmounts(of))
		}
		arg.Originals, arg.Corrections = append(arg.Originals, original), append(arg.Corrections, e.ID())
		arg.Versions, arg.Amounts = append(arg.Versions, version), append(arg.Amounts, amounts)
		versions[correctedPrefix+original.String()] = version
	}
	if len(arg.Originals) == 0 {
		return nil
	}
	return p.queries.InsertCorrections(ctx, arg)
}

// encodeAmounts writes fen as numbers.
func encodeAmounts(amounts []accounts.Fen) []byte {
	fen := make([]int64, len(amounts))
	for i, a := range amounts {
		fen[i] = int64(a)
	}
	data, err := json.Marshal(fen)
	if err != nil {
		panic(err) // a list of numbers
	}
	return data
}

func decodeAmounts(correction uuid.UUID, data []byte) ([]accounts.Fen, error) {
	var fen []int64
	if err := json.Unmarshal(data, &fen); err != nil {
		return nil, fault.New(fault.Internal, "the amounts of reversal %s cannot be read: %w", correction, err)
	}
	amounts := make([]accounts.Fen, len(fen))
	for i, f := range fen {
		amounts[i] = accounts.Fen(f)
	}
	return amounts, nil
}
