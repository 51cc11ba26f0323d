package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/settlement/internal/db"
)

// States of a file.
const (
	fileLoading = "loading"
	fileLoaded  = "loaded"
)

// shownBadRows is how many bad rows a report lists where nothing else is asked.
const shownBadRows = 100

// ImportOptions say how a file is imported. The zero value is fine.
type ImportOptions struct {
	// Strict: a file with a bad row loads nothing.
	Strict bool
	// BadRows bounds the bad rows that the report lists; 0 means 100, a
	// negative number all.
	BadRows int
	// Progress is told how much of the file is read, in bytes. It is called
	// from one goroutine.
	Progress func(done, total int64)
}

// ImportReport is what became of a file's rows. Rows = Accepted + Rejected +
// Duplicates + Conflicting + Superseded + ConflictsWithPosted.
type ImportReport struct {
	File   string `json:"file"`
	Side   Side   `json:"side"`
	SHA256 string `json:"sha256"`
	// AlreadyLoaded: the same file was loaded before, nothing changed.
	AlreadyLoaded bool  `json:"already_loaded"`
	Rows          int64 `json:"rows"`
	// Accepted rows are their side's record now, or say what it says.
	Accepted   int64 `json:"accepted"`
	Rejected   int64 `json:"rejected"`
	Duplicates int64 `json:"duplicates"`
	// Conflicting rows say something else than another row of the file.
	Conflicting int64 `json:"conflicting"`
	// Superseded rows say something else than a file that was begun later.
	Superseded int64 `json:"superseded"`
	// ConflictsWithPosted: the settlement is posted with other content, and
	// posted it stays.
	ConflictsWithPosted int64 `json:"conflicts_with_posted"`
	// Added and Replaced count the records that this call has made or changed.
	Added          int64    `json:"added"`
	Replaced       int64    `json:"replaced"`
	IgnoredColumns []string `json:"ignored_columns"`
	BadRows        []BadRow `json:"bad_rows"`
	MoreBadRows    int64    `json:"more_bad_rows"` // kept, not listed here
}

// fileSpace is the UUID name space of file ids.
var fileSpace = uuid.MustParse("0b7c5f0e-58a1-5c53-8b1f-3d6a9e2c41d7")

// source is a file while it is loaded.
type source struct {
	id    uuid.UUID
	side  Side
	order int64
	name  string
	rows  int64
}

// Import loads a file of one side. It reads the file as a stream, in constant
// memory. A file that was loaded before changes nothing; one that was loaded
// in part is completed. Bad rows are set aside and reported, good rows stay.
//
// Errors: NotFound (no such file), Invalid (not readable, required columns
// missing, and with Strict any bad row, the rows in the details).
func (s *Settlements) Import(ctx context.Context, side Side, file File, options ImportOptions) (*ImportReport, error) {
	report, _, err := s.importFile(ctx, side, file, options)
	return report, err
}

// importFile imports the file and returns its id too.
func (s *Settlements) importFile(ctx context.Context, side Side, file File, options ImportOptions) (*ImportReport, uuid.UUID, error) {
	if !slices.Contains(Sides(), side) {
		return nil, uuid.Nil, fault.New(fault.Invalid, "%q is no side: name treating, center or insured", side)
	}
	limit := options.BadRows
	if limit == 0 {
		limit = shownBadRows
	}
	sum, err := file.sum(ctx)
	if err != nil {
		return nil, uuid.Nil, err
	}
	in, err := file.rows(s.rules)
	if err != nil {
		return nil, uuid.Nil, err
	}
	defer in.close()
	src := source{id: uuid.NewHash(sha256.New(), fileSpace, append([]byte(side+"\x00"), sum...), 8), side: side, name: file.Name}
	stands, err := s.findFile(ctx, src.id)
	if err != nil {
		return nil, uuid.Nil, err
	}
	if stands == nil || stands.State != fileLoaded {
		if options.Strict {
			if err := s.refuseBadRows(ctx, file, limit); err != nil {
				return nil, uuid.Nil, err
			}
		}
		if src.order, err = s.beginFile(ctx, src, sum, in.ignored); err != nil {
			return nil, uuid.Nil, err
		}
		l := &loader{s: s, source: src}
		if err := l.load(ctx, in, options.Progress); err != nil {
			return nil, uuid.Nil, err
		}
		if err := s.finishFile(ctx, src.id, l.rows); err != nil {
			return nil, uuid.Nil, err
		}
		report, err := s.importReport(ctx, src.id, limit)
		if err != nil {
			return nil, uuid.Nil, err
		}
		report.Added, report.Replaced = l.added.Load(), l.replaced.Load()
		return report, src.id, nil
	}
	report, err := s.importReport(ctx, src.id, limit)
	if err != nil {
		return nil, uuid.Nil, err
	}
	report.AlreadyLoaded = true
	return report, src.id, nil
}

func (s *Settlements) findFile(ctx context.Context, id uuid.UUID) (*db.GetFileRow, error) {
	var found *db.GetFileRow
	err := s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		row, err := db.New(tx).GetFile(ctx, id)
		if err == pgx.ErrNoRows {
			found = nil
			return nil
		}
		found = &row
		return err
	})
	return found, err
}

// beginFile registers the file, or finds it, and returns its load order.
func (s *Settlements) beginFile(ctx context.Context, src source, sum []byte, ignored []string) (order int64, err error) {
	if ignored == nil {
		ignored = []string{}
	}
	err = s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		switch row, err := q.GetFile(ctx, src.id); {
		case err == nil:
			order = row.LoadOrder
			return nil
		case err != pgx.ErrNoRows:
			return err
		}
		last, err := q.LastLoadOrder(ctx)
		if err != nil {
			return err
		}
		order = last + 1
		return q.InsertFile(ctx, db.InsertFileParams{ID: src.id, Side: string(src.side), Sha256: sum, Name: src.name, LoadOrder: order, Ignored: ignored})
	})
	return order, err
}

func (s *Settlements) finishFile(ctx context.Context, id uuid.UUID, rows int64) error {
	return s.store.InTx(ctx, func(tx pgx.Tx) error {
		return db.New(tx).FinishFile(ctx, db.FinishFileParams{RowCount: rows, ID: id})
	})
}

// refuseBadRows reads the file through and fails if a row is bad.
func (s *Settlements) refuseBadRows(ctx context.Context, file File, limit int) error {
	in, err := file.rows(s.rules)
	if err != nil {
		return err
	}
	defer in.close()
	var shown []BadRow
	count := int64(0)
	for {
		r, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if r.fault == nil {
			continue
		}
		if count++; limit < 0 || count <= int64(limit) {
			shown = append(shown, r.bad(file.Name))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if count == 0 {
		return nil
	}
	refused := fault.New(fault.Invalid, "%s has %s, so nothing of it was loaded: correct it, or import it without --strict", file.Name, plural(count, "bad row"))
	for _, b := range shown {
		refused.With("row", b.String())
	}
	return refused
}

func (r *row) bad(file string) BadRow {
	return BadRow{File: file, Line: r.line, Field: r.fault.field, Kind: r.fault.kind, Reason: r.fault.reason}
}

// importReport reads what stands of a loaded file.
func (s *Settlements) importReport(ctx context.Context, id uuid.UUID, limit int) (*ImportReport, error) {
	var report *ImportReport
	err := s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		file, err := q.GetFile(ctx, id)
		if err != nil {
			return err
		}
		report = newImportReport(file)
		counts, err := q.CountSetAside(ctx, id)
		if err != nil {
			return err
		}
		for _, c := range counts {
			report.count(c.Cause, c.Records)
		}
		bad := report.Rejected + report.Conflicting + report.ConflictsWithPosted
		if limit < 0 {
			limit = int(bad)
		}
		rows, err := q.BadRows(ctx, db.BadRowsParams{FileID: id, RowLimit: int64(limit)})
		if err != nil {
			return err
		}
		for _, r := range rows {
			report.BadRows = append(report.BadRows, BadRow{File: file.Name, Line: r.Line, Field: r.Field, Kind: r.Kind, Reason: r.Reason})
		}
		report.MoreBadRows = bad - int64(len(rows))
		return nil
	})
	return report, err
}

// causes of a row being set aside.
const (
	causeRejected    = "rejected"
	causeDuplicate   = "duplicate"
	causeConflicting = "conflicting"
	causeSuperseded  = "superseded"
	causePosted      = "conflicts_with_posted"
)

func newImportReport(file db.GetFileRow) *ImportReport {
	return &ImportReport{
		File: file.Name, Side: Side(file.Side), SHA256: hex.EncodeToString(file.Sha256),
		Rows: file.RowCount, Accepted: file.RowCount, IgnoredColumns: file.Ignored, BadRows: []BadRow{},
	}
}

func (r *ImportReport) count(cause string, n int64) {
	switch cause {
	case causeRejected:
		r.Rejected = n
	case causeDuplicate:
		r.Duplicates = n
	case causeConflicting:
		r.Conflicting = n
	case causeSuperseded:
		r.Superseded = n
	case causePosted:
		r.ConflictsWithPosted = n
	}
	r.Accepted -= n
}
