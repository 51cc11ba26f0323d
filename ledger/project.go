package ledger

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// projectEntries is how many entries a projection transaction takes; the last
// batch is taken whole.
const projectEntries = 20_000

// CatchUp gives all batches that are committed when it is called their place in
// the sequence, projects account lines and balances up to there at least, and
// returns the position of the projection. It may run beside others and beside a
// sealer, in several processes: each step happens once, and where all is done
// it only looks.
func (j *Journal) CatchUp(ctx context.Context) (Position, error) {
	var ahead db.LookAheadRow
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		ahead, err = db.New(tx).LookAhead(ctx)
		return err
	})
	sealed, reached := Position(ahead.Sealed), Position(ahead.Projected)
	for more := ahead.Waiting; more && err == nil; {
		sealed, more, err = j.seal(ctx)
	}
	for reached < sealed && err == nil {
		reached, err = j.project(ctx)
	}
	if err != nil {
		return 0, err
	}
	return reached, nil
}

// project carries the projection on by one transaction and returns where it is.
func (j *Journal) project(ctx context.Context) (reached Position, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	err = j.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		at, err := lockHead(ctx, q, headProjected)
		if err != nil {
			return err
		}
		end, err := q.ReadHead(ctx, headSealed)
		if err != nil {
			return err
		}
		if reached, err = catchUpShifts(ctx, q, at); err != nil || reached < at {
			return err
		}
		if int64(at) == end {
			return nil
		}
		entries, err := sealedEntries(ctx, q, at, min(end, int64(at)+projectEntries)) // until: where the last batch begins
		if err != nil {
			return err
		}
		reached += Position(len(entries))
		p := newProjection()
		if err := p.add(ctx, q, at+1, entries); err != nil {
			return err
		}
		if err := p.write(ctx, q); err != nil {
			return err
		}
		return q.MoveHeads(ctx, db.MoveHeadsParams{Names: []string{headProjected, headShifted}, Position: int64(reached)})
	})
	return reached, err
}

// sealedEntries reads the entries of the batches that begin behind a position,
// up to another.
func sealedEntries(ctx context.Context, q *db.Queries, after Position, until int64) (entries []uuid.UUID, err error) {
	sealed, err := q.ReadSealed(ctx, db.ReadSealedParams{After: int64(after), Until: until, Batches: projectEntries})
	if err != nil {
		return nil, err
	}
	for _, s := range sealed {
		if s.FirstPosition != int64(after)+int64(len(entries))+1 {
			return nil, fault.New(fault.Internal, "the sequence has a gap after position %d", int64(after)+int64(len(entries)))
		}
		entries = append(entries, s.Entries...)
	}
	if len(entries) == 0 {
		return nil, fault.New(fault.Internal, "the sequence ends at position %d, its head says more: run fundledger check", after)
	}
	return entries, nil
}

// projection gathers the lines of one transaction by account.
type projection struct {
	lines  map[string][]accountLine
	shifts map[shift]*dayTurnover
}

func newProjection() *projection {
	return &projection{map[string][]accountLine{}, map[shift]*dayTurnover{}}
}

func (p *projection) add(ctx context.Context, q *db.Queries, first Position, entries []uuid.UUID) error {
	rows, err := q.ReadLegs(ctx, entries)
	if err != nil {
		return err
	}
	place := make(map[uuid.UUID]int, len(entries))
	for i, id := range entries {
		place[id] = i
	}
	if len(rows) != len(entries) {
		return fault.New(fault.Internal, "%d of %d entries from position %d on are missing: run fundledger check", len(entries)-len(rows), len(entries), first)
	}
	ordered := make([]db.ReadLegsRow, len(rows))
	for _, r := range rows {
		ordered[place[r.ID]] = r
	}
	for i, r := range ordered {
		legs, err := decodeLegs(r.Legs)
		if err != nil {
			return err
		}
		for k, l := range legs {
			line := accountLine{
				position: first + Position(i), leg: k, date: civil.DateOf(r.BusinessDate),
				side: accounts.Side(l.Side), amount: accounts.Fen(l.Amount), entry: r.ID,
			}
			p.lines[l.Account] = append(p.lines[l.Account], line)
			addShift(p.shifts, l.Account, line, accounts.Month(r.Period))
		}
	}
	return nil
}

// write appends the gathered lines to their accounts.
func (p *projection) write(ctx context.Context, q *db.Queries) error {
	names := slices.Sorted(maps.Keys(p.lines))
	rows, err := q.ReadBalances(ctx, names)
	if err != nil {
		return err
	}
	before := make(map[string]db.ReadBalancesRow, len(rows))
	for _, r := range rows {
		before[r.Account] = r
	}
	var balances db.WriteBalancesParams
	var blocks db.WriteLinesParams
	for _, name := range names {
		account, err := accounts.ParseAccount(name)
		if err != nil {
			return err
		}
		lines, b := p.lines[name], before[name]
		debit, credit := accounts.Fen(b.DebitFen), accounts.Fen(b.CreditFen)
		for len(lines) > 0 {
			n := blockEnd(lines)
			blocks.Accounts = append(blocks.Accounts, name)
			blocks.Firsts = append(blocks.Firsts, int64(lines[0].position))
			blocks.Lasts = append(blocks.Lasts, int64(lines[n-1].position))
			blocks.Debits = append(blocks.Debits, int64(debit))
			blocks.Credits = append(blocks.Credits, int64(credit))
			blocks.Lines = append(blocks.Lines, encodeLines(lines[:n], &debit, &credit))
			lines = lines[n:]
		}
		all := p.lines[name]
		balances.Accounts = append(balances.Accounts, name)
		balances.Books = append(balances.Books, string(account.Book))
		balances.Funds = append(balances.Funds, account.Fund)
		balances.Subjects = append(balances.Subjects, account.Subject)
		balances.Counterparties = append(balances.Counterparties, account.Counterparty)
		balances.Debits = append(balances.Debits, int64(debit))
		balances.Credits = append(balances.Credits, int64(credit))
		balances.Counts = append(balances.Counts, b.LineCount+int64(len(all)))
		balances.Positions = append(balances.Positions, int64(all[len(all)-1].position))
	}
	if err := q.WriteBalances(ctx, balances); err != nil {
		return err
	}
	if err := q.WriteLines(ctx, blocks); err != nil {
		return err
	}
	if err := p.writeMonths(ctx, q, names); err != nil {
		return err
	}
	return p.writeShifts(ctx, q)
}

// blockEnd returns how many lines the next block takes.
func blockEnd(lines []accountLine) int {
	n := min(maxBlock, len(lines))
	for n < len(lines) && lines[n].position == lines[n-1].position {
		n++
	}
	return n
}

func encodeLines(lines []accountLine, debit, credit *accounts.Fen) string {
	b := make([]byte, 0, 90*len(lines))
	b = append(b, '[')
	for i, l := range lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLine(b, l)
		l.turnover(debit, credit)
	}
	return string(append(b, ']'))
}
