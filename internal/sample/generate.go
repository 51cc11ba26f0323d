package sample

import (
	"bufio"
	"io"
	"math/rand/v2"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// maxSettlements is what seven digits of a serial number can tell apart.
const maxSettlements = 9_999_999

// Options say which month to make. The same options make the same bytes, on
// every machine.
type Options struct {
	Month       accounts.Month
	Settlements int // refunds are made beside them, one to a hundred
	Seed        uint64
	// Faults are planted; nil stands for UsualFaults.
	Faults *Faults
	// RefundFaults also plants faults in refunds, and refunds settlements
	// that have a fault themselves.
	RefundFaults bool
}

// Generate writes a month of settlements as the three sides see it, in the
// format of the settlement files, and returns what a reconciliation must find
// in them. Memory is constant but for the faults. It returns Invalid for
// options that no month can have.
func Generate(options Options, treating, center, insured io.Writer) (*Expected, error) {
	if _, err := accounts.ParseMonth(string(options.Month)); err != nil {
		return nil, err
	}
	if options.Settlements < 1 || options.Settlements > maxSettlements {
		return nil, fault.New(fault.Invalid, "a month of %d settlements cannot be made: ask for 1 to %d", options.Settlements, maxSettlements)
	}
	faults := UsualFaults(options.Settlements)
	if options.Faults != nil {
		faults = *options.Faults
	}
	planned, err := faults.plan(options.Settlements)
	if err != nil {
		return nil, err
	}
	month := options.Month.First()
	g := &generator{
		Options: options, faults: planned, tally: newTally(options.Month),
		rand: rand.New(rand.NewPCG(options.Seed, uint64(month.Year)*100+uint64(month.Month))),
	}
	for i, w := range []io.Writer{treating, center, insured} {
		g.sides[i].out = bufio.NewWriterSize(w, 1<<18)
		g.sides[i].write([]byte(header))
	}
	for serial := 1; serial <= options.Settlements; serial++ {
		g.settle(serial)
	}
	for i := range g.sides {
		if err := g.sides[i].close(); err != nil {
			return nil, err
		}
	}
	return g.tally.expected(), nil
}

// generator makes one month, one settlement after the other.
type generator struct {
	Options
	rand   *rand.Rand
	faults *planned
	tally  *tally
	sides  [3]side
	row    []byte
}

// settle makes one settlement and perhaps refunds of it.
func (g *generator) settle(serial int) {
	r := g.draw(serial)
	kind := g.faults.next(g.rand, g.Settlements-serial+1)
	g.emit(&r, kind)
	if g.rand.IntN(100) > 0 || kind != none && !g.RefundFaults {
		return
	}
	for _, refund := range g.refunds(&r) {
		kind := none
		if g.RefundFaults && g.rand.IntN(4) == 0 {
			kind = allFaults[g.rand.IntN(len(allFaults))]
		}
		g.emit(&refund, kind)
	}
}

// emit writes the record to the three sides with the fault in it.
func (g *generator) emit(r *record, kind faultKind) {
	g.tally.add(r, kind)
	if kind != none {
		g.emitFaulty(r, kind)
		return
	}
	g.row = r.append(g.row[:0])
	for i := range g.sides {
		g.sides[i].write(g.row)
	}
}

// side is one of the three files. Second rows of a record may come many rows
// after the first.
type side struct {
	out  *bufio.Writer
	rows int
	late []lateRow
	err  error
}

type lateRow struct {
	after int
	row   []byte
}

func (s *side) write(row []byte) {
	s.put(row)
	for len(s.late) > 0 && s.late[0].after <= s.rows {
		s.put(s.late[0].row)
		s.late = s.late[1:]
	}
}

func (s *side) put(row []byte) {
	s.rows++
	if _, err := s.out.Write(row); err != nil && s.err == nil {
		s.err = err
	}
}

// delay writes the row after that many others.
func (s *side) delay(row []byte, rows int) {
	s.late = append(s.late, lateRow{s.rows + rows, append([]byte(nil), row...)})
}

func (s *side) close() error {
	for _, l := range s.late {
		s.put(l.row)
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	return s.err
}
