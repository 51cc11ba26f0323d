package ledger

import (
	"github.com/google/uuid"

	"fundledger/accounts"
)

// floorState is what the entries up to a position say of a floor.
type floorState struct {
	key     string
	balance accounts.Fen
	version int64
	batch   uuid.UUID
	own     bool // the floor of an account, whose lines carry its version
	moved   bool
}

// move applies what one entry does to the floor. What raises a balance is never wrong.
func (f *floorState) move(report *CheckReport, entry uuid.UUID, position Position, amount accounts.Fen) {
	f.moved = true
	f.balance += amount
	if f.balance < 0 && amount < 0 {
		report.find(checkFloors, f.key, entry.String(), "the balance falls to %s at position %d", f.balance, position)
	}
}

// follow checks the version that a line on the account carries: that of its
// batch, and higher than those of batches before it.
func (f *floorState) follow(report *CheckReport, entry uuid.UUID, position Position, batch uuid.UUID, version int64) {
	switch {
	case version <= 0:
		report.find(checkFloors, f.key, entry.String(), "a line at position %d lacks the version of the account's floor", position)
	case f.batch == batch && version != f.version, f.batch != batch && version <= f.version:
		report.find(checkFloors, f.key, entry.String(), "version %d of the floor follows version %d at position %d", version, f.version, position)
	}
	f.version, f.batch, f.own = version, batch, true
}

// compare checks a stored floor; nil is one that no entry has moved.
func (f *floorState) compare(report *CheckReport, stored bundleFloor) {
	if f == nil {
		f = &floorState{}
	}
	if stored.balance != f.balance {
		report.find(checkFloors, stored.key, "", "the floor balance is %s, the journal's lines sum to %s", stored.balance, f.balance)
	}
	switch {
	case !f.moved && stored.version != 0:
		report.find(checkFloors, stored.key, "", "the floor has version %d, and no line has moved it", stored.version)
	case f.own && stored.version != f.version:
		report.find(checkFloors, stored.key, "", "the floor has version %d, its last line has %d", stored.version, f.version)
	}
}
