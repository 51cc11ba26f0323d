package sample

import (
	"math/rand/v2"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// faultKind is the kind of exception that a planted fault leads to.
type faultKind string

const (
	none               faultKind = ""
	missingTreating    faultKind = "missing_treating"
	missingCenter      faultKind = "missing_center"
	missingInsured     faultKind = "missing_insured"
	amountDiffers      faultKind = "amount_differs"
	fieldsDiffer       faultKind = "fields_differ"
	conflictingRow     faultKind = "conflicting_row"
	componentsDoNotSum faultKind = "components_do_not_sum"
	unknownCode        faultKind = "unknown_code"
	unknownRegion      faultKind = "unknown_region"
	duplicateRow       faultKind = "duplicate_row_ignored"
)

var allFaults = []faultKind{missingTreating, missingCenter, missingInsured, amountDiffers, fieldsDiffer,
	conflictingRow, componentsDoNotSum, unknownCode, unknownRegion, duplicateRow}

// nowhere is in none of the code lists.
const nowhere = "990099"

// Faults are the numbers of settlements with a fault of each kind; a
// settlement has one at most.
type Faults struct {
	MissingTreating, MissingCenter, MissingInsured int
	AmountDiffers, FieldsDiffer                    int
	ConflictingRow                                 int
	ComponentsDoNotSum, UnknownCode, UnknownRegion int
	DuplicateRow                                   int
}

// UsualFaults are as many as a month of that many settlements has, at least
// one of each kind from 500 settlements on.
func UsualFaults(settlements int) Faults {
	of := func(per10000 int) int {
		n := settlements * per10000 / 10000
		if settlements >= 500 {
			return max(1, n)
		}
		return n
	}
	return Faults{
		MissingTreating: of(16), MissingCenter: of(16), MissingInsured: of(24),
		AmountDiffers: of(16), FieldsDiffer: of(6), ConflictingRow: of(4),
		ComponentsDoNotSum: of(14), UnknownCode: of(3), UnknownRegion: of(2), DuplicateRow: of(10),
	}
}

// planned draws the faults so that exactly as many come as are wanted.
type planned struct {
	left [10]int // of allFaults
	sum  int
}

func (f Faults) plan(settlements int) (*planned, error) {
	p := &planned{left: [10]int{f.MissingTreating, f.MissingCenter, f.MissingInsured, f.AmountDiffers, f.FieldsDiffer,
		f.ConflictingRow, f.ComponentsDoNotSum, f.UnknownCode, f.UnknownRegion, f.DuplicateRow}}
	for _, n := range p.left {
		if n < 0 {
			return nil, fault.New(fault.Invalid, "%d faults of a kind cannot be planted", n)
		}
		p.sum += n
	}
	if p.sum > settlements {
		return nil, fault.New(fault.Invalid, "%d faults cannot be planted in %d settlements: each takes one fault at most", p.sum, settlements)
	}
	return p, nil
}

// next says which fault the next of the settlements that are still to come has.
func (p *planned) next(rand *rand.Rand, toCome int) faultKind {
	if rand.IntN(toCome) >= p.sum {
		return none
	}
	n := rand.IntN(p.sum)
	for i := range p.left {
		if n -= p.left[i]; n < 0 {
			p.left[i]--
			p.sum--
			return allFaults[i]
		}
	}
	panic("sample: faults do not sum")
}

// emitFaulty writes the record with the fault in it.
func (g *generator) emitFaulty(r *record, kind faultKind) {
	rows := [3][]record{{*r}, {*r}, {*r}}
	at := g.rand.IntN(3)
	one := &rows[at][0]
	late := 0
	switch kind {
	case missingTreating:
		rows[0] = nil
	case missingCenter:
		rows[1] = nil
	case missingInsured:
		rows[2] = nil
	case amountDiffers:
		g.changeAmount(one)
	case fieldsDiffer:
		g.changeField(one)
	case conflictingRow:
		second := *r
		if g.rand.IntN(2) == 0 {
			g.changeAmount(&second)
		} else {
			g.changeField(&second)
		}
		rows[at] = append(rows[at], second)
		late = g.lateness()
	case duplicateRow:
		rows[at] = append(rows[at], *r)
		late = g.lateness()
	case componentsDoNotSum:
		field := g.rand.IntN(3)
		g.onSomeSides(func(i int) {
			switch bad := &rows[i][0]; field {
			case 0:
				bad.fund++
			case 1:
				bad.total--
			default:
				bad.cash++
			}
		})
	case unknownCode:
		field := g.rand.IntN(3)
		g.onSomeSides(func(i int) {
			bad := &rows[i][0]
			*[]*string{&bad.insurance, &bad.clearing, &bad.medical}[field] = nowhere
		})
	case unknownRegion:
		field := g.rand.IntN(2)
		g.onSomeSides(func(i int) {
			bad := &rows[i][0]
			*[]*string{&bad.insured, &bad.treats}[field] = nowhere
		})
	}
	for i, list := range rows {
		for k := range list {
			g.row = list[k].append(g.row[:0])
			if k > 0 && late > 0 {
				g.sides[i].delay(g.row, late)
			} else {
				g.sides[i].write(g.row)
			}
		}
	}
}

// lateness is after how many other rows a second row comes.
func (g *generator) lateness() int {
	if g.rand.IntN(2) == 0 {
		return 0
	}
	return g.rand.IntN(3000)
}

// onSomeSides calls f for at least one side; mostly, as the centre passes the
// bad row on, for all.
func (g *generator) onSomeSides(f func(side int)) {
	mask := 7
	if g.rand.IntN(3) == 0 {
		mask = 1 + g.rand.IntN(7)
	}
	for i := range 3 {
		if mask>>i&1 == 1 {
			f(i)
		}
	}
}

// changeAmount leaves a record that is valid by itself.
func (g *generator) changeAmount(r *record) {
	unit := accounts.Fen(1)
	if r.original != "" {
		unit = -1
	}
	switch g.rand.IntN(3) {
	case 0:
		r.pay[hifp] += 100 * unit
	case 1:
		r.cash += unit
	default: // the totals of the bill stay
		if r.cash != 0 {
			r.cash -= unit
			r.pay[hifp] += unit
		} else {
			r.pay[hifp] += unit
		}
	}
	r.sum()
}

// changeField leaves a record that is valid by itself and of the same month.
func (g *generator) changeField(r *record) {
	switch n := g.rand.IntN(5); {
	case n == 0:
		r.person = r.person[:12] + string("fedcba9876543210"[hexDigit(r.person[12])])
	case n == 1:
		r.begin = r.begin.AddDays(-1)
	case n == 2:
		r.at.Time.Second = (r.at.Time.Second + 30) % 60
	case n == 3 && r.medical == "11":
		r.medical = "14"
	case n == 3 && r.medical == "14":
		r.medical = "11"
	default:
		for before := r.provider; r.provider == before; {
			r.provider = g.drawProvider(r)
		}
	}
}

func hexDigit(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}
