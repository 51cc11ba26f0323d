package ledger

import (
	"bytes"

	"github.com/google/uuid"

	"fundledger/internal/fault"
)

// application applies drafts one after the other to the periods and floors
// that the transaction holds.
type application struct {
	*posting
	open    *periods            // nil where months are presumed open
	applied map[uuid.UUID]draft // by id, because a key may come twice in one call
	kept    []draft
}

// group applies drafts that stand or fall together: where one is refused, the
// others are too and the floors are as before. A single entry is a group of one.
func (a *application) group(drafts []draft) {
	first := drafts[0].index
	length, kept := len(a.floors.log), len(a.kept)
	refused := a.refusedBefore(first)
	for i := 0; i < len(drafts) && refused == nil; i++ {
		refused = a.one(drafts[i])
	}
	if refused == nil {
		return
	}
	a.floors.takeBack(length)
	for _, d := range a.kept[kept:] {
		delete(a.applied, a.results[d.index].ID)
	}
	a.kept = a.kept[:kept]
	a.refuse(first, refused)
}

// one applies a draft, or says why not.
func (a *application) one(d draft) *fault.Error {
	e, r := &a.entries[d.index], &a.results[d.index]
	if before, twice := a.applied[r.ID]; twice {
		if !bytes.Equal(before.digest, d.digest) {
			return differs(&a.entries[before.index], e)
		}
		r.Replayed = true
		return nil
	}
	if a.open != nil {
		if err := a.open.refuseEntry(e); err != nil {
			return err
		}
	}
	if err := a.refuseCorrection(e); err != nil {
		return err
	}
	if err := a.floors.apply(e, d.effects); err != nil {
		return err
	}
	a.applied[r.ID] = d
	a.kept = append(a.kept, d)
	return nil
}

// members calls fn for every entry of the group that the entry belongs to.
func (p *posting) members(index int, fn func(int)) {
	if p.groups == nil {
		fn(index)
		return
	}
	start := index
	for start > 0 && p.groups[start-1] == p.groups[index] {
		start--
	}
	for i := start; i < len(p.groups) && p.groups[i] == p.groups[index]; i++ {
		fn(i)
	}
}

// refusedBefore returns why a member of the group was refused by itself.
func (p *posting) refusedBefore(index int) (refused *fault.Error) {
	p.members(index, func(i int) {
		if known, ok := p.results[i].Err.(*fault.Error); ok && refused == nil {
			refused = known
		}
	})
	return refused
}

// refuse gives every member of the group the reason of the one that was refused.
func (p *posting) refuse(index int, refused *fault.Error) {
	p.members(index, func(i int) {
		p.results[i].Replayed = false
		if p.results[i].Err == nil {
			p.results[i].Err = refused
		}
	})
}
