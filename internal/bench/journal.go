package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"fundledger/internal/fault"
)

// JournalOptions say what to measure, and where.
type JournalOptions struct {
	URL      string // of a database whose journal is empty, as its owner
	Folder   string // for a bundle
	Entries  int    // of the large journal in which everything is measured again; 0 for none
	Small    int    // entries of the journal in which reads are measured before
	Accounts int    // that random transfers choose from
	Rounds   Rounds
	Repeat   int          // how often all of it is done; medians are of all rounds
	Callers  int          // that post batches or read at once
	RPC      bool         // measures what posts over RPC, and nothing else
	Only     []string     // parts of the names of workloads; empty for all
	Profiles string       // folder for CPU profiles of the rounds; empty for none
	Log      func(string) // told what comes next
}

// minAccounts gives the book of each city accounts to choose from.
const minAccounts = 100

// journalBench is one run of Journal.
type journalBench struct {
	JournalOptions
	poster
	mirror *mirror
	served *served    // with RPC
	plain  *plainHTTP // beside it
	filled bool       // the journal is the large one, which is not emptied

	results []*measurement // in the order of the report
}

// Journal measures the journal: posting, sealing, projection, reads and the
// verification, first in an empty or small journal, then in a large one. It
// returns Precondition when the database has a journal already, Invalid for
// options that make no sense.
func Journal(ctx context.Context, options JournalOptions) (*Report, error) {
	if options.Rounds.Number < 1 || options.Rounds.Length <= 0 || options.Repeat < 1 || options.Callers < 1 || options.Accounts < minAccounts || options.Small < 1 || options.Entries < 0 {
		return nil, fault.New(fault.Invalid, "rounds, their length, repetitions, callers and the size of the small journal are at least 1, accounts at least %d", minAccounts)
	}
	open, err := openBooks(ctx, options.URL)
	if err != nil {
		return nil, err
	}
	defer open.close()
	b := &journalBench{JournalOptions: options, poster: poster{books: open}}
	if b.mirror, err = newMirror(ctx, open); err != nil {
		return nil, err
	}
	if options.RPC {
		if b.plain, err = newPlainHTTP(&b.poster, b.random()); err != nil {
			return nil, err
		}
		defer b.plain.close() //nolint:errcheck // the report is what counts
		if b.served, err = serve(open); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(b.run(ctx), b.served.close(ctx)); err != nil {
		return nil, err
	}
	report := &Report{Database: open.owner.Version, Processors: runtime.NumCPU(), Workloads: []Workload{}}
	for _, m := range b.results {
		report.Workloads = append(report.Workloads, m.Workload)
	}
	return report, nil
}

func (b *journalBench) run(ctx context.Context) error {
	writing := b.selected(append(b.posting(), b.sealing()...))
	reading := b.selected(append(b.reading(), b.bundling()...))
	if b.RPC {
		writing, reading = b.selected(b.overRPC()), nil
	}
	if len(writing)+len(reading) == 0 {
		return fault.New(fault.Invalid, "no workload has a name with %s in it", strings.Join(b.Only, " or "))
	}
	for range b.Repeat {
		if err := b.measureAll(ctx, writing); err != nil {
			return err
		}
		if len(reading) == 0 {
			continue
		}
		if err := b.mirror.reset(ctx); err != nil {
			return err
		}
		if _, err := b.fill(ctx, int64(b.Small)); err != nil {
			return err
		}
		if err := b.measureAll(ctx, reading); err != nil {
			return err
		}
	}
	if b.Entries == 0 {
		return nil
	}
	if err := b.mirror.reset(ctx); err != nil {
		return err
	}
	b.filled = true
	done, err := b.fill(ctx, int64(b.Entries))
	if err != nil {
		return err
	}
	for _, w := range done {
		b.results = append(b.results, &measurement{Workload: w})
	}
	for range b.Repeat {
		if err := b.measureAll(ctx, append(reading, writing...)); err != nil {
			return err
		}
	}
	return nil
}

func (b *journalBench) selected(subjects []subject) []subject {
	if len(b.Only) == 0 {
		return subjects
	}
	return slices.DeleteFunc(subjects, func(s subject) bool {
		return !slices.ContainsFunc(b.Only, func(part string) bool { return strings.Contains(s.name, part) })
	})
}

func (b *journalBench) measureAll(ctx context.Context, subjects []subject) error {
	for _, s := range subjects {
		name, twin := s.name, (*measurement)(nil)
		if b.filled {
			name = fmt.Sprintf("%s, after %d entries", s.name, b.Entries)
			twin = b.result(s.name)
		}
		m := b.result(name)
		if m == nil {
			m = &measurement{Workload: Workload{Name: name, Unit: s.unit, LimitIs: s.limitIs}}
			b.results = append(b.results, m)
		}
		b.Log(fmt.Sprintf("measuring: %s", name))
		first := b.next.Load()
		if err := m.measure(ctx, s, b.Rounds, b.Profiles); err != nil {
			return err
		}
		if err := b.owner.Pool.QueryRow(ctx, "SELECT count(*) FROM entries").Scan(&m.Journal); err != nil {
			return err
		}
		if s.holds && twin != nil {
			held := *m.Ratio / *twin.Ratio
			m.Held = &held
			m.judge(OfHeld, heldTarget)
		} else {
			m.judge(s.targetOf, s.target)
		}
		if !b.filled {
			continue // the next one begins with an empty journal, or only reads
		}
		if err := b.settle(ctx, first); err != nil {
			return err
		}
	}
	return nil
}

func (b *journalBench) result(name string) *measurement {
	for _, m := range b.results {
		if m.Name == name {
			return m
		}
	}
	return nil
}
