package prepayment

import (
	"context"
	"strconv"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// NationalList is a list of the national platform as it was imported.
type NationalList struct {
	ID         string       `json:"list"` // by its content
	Kind       NationalKind `json:"kind"`
	Period     string       `json:"period"` // month or year
	File       string       `json:"file"`
	ImportedBy string       `json:"imported_by"`
	ImportedOn civil.Date   `json:"imported_on"`
	Accepted   bool         `json:"accepted"`
	// InForce: no later list of the kind and period has taken its place.
	InForce     bool         `json:"in_force"`
	Records     int          `json:"records"`
	Comparison  []Difference `json:"differences"` // from our own figures, record by record; empty where all agree
	Uncomparing string       `json:"not_compared,omitempty"`
	Steps       []Step       `json:"steps"`
	Replayed    bool         `json:"replayed,omitempty"`
	figures     []db.NationalFigure
}

// Difference is a figure that the national list and we state differently. One
// that a side lacks is 0.00 there.
type Difference struct {
	Province     string       `json:"province"`
	ProvinceName string       `json:"province_name"`
	Fund         string       `json:"fund"`
	Figure       string       `json:"figure"`         // column of the list
	Line         int          `json:"line,omitempty"` // of the file; 0: the list lacks it
	Ours         accounts.Fen `json:"ours"`
	National     accounts.Fen `json:"national"`
	Difference   accounts.Fen `json:"difference"` // national - ours
}

// NationalImport asks to import a national list.
type NationalImport struct {
	Kind    NationalKind
	File    string // its name, for messages
	Content []byte
	Date    civil.Date
	By      string
	Key     string // of idempotency; empty: the content is the key
}

// ImportNational keeps a list of the national platform and compares it with our
// own figures. It takes the place of an earlier one of its kind and period, and
// has no effect until somebody else accepts it. The same content again changes
// nothing. Errors: Invalid with file:line:field for what cannot be read,
// AlreadyExists (the key stands with other content).
func (p *Prepayments) ImportNational(ctx context.Context, r NationalImport) (*NationalList, error) {
	f, err := readFigures(p.book, r.Kind, r.File, r.Content)
	if err != nil {
		return nil, err
	}
	if r.Key == "" {
		r.Key = "import/" + f.digest
	}
	taking := step{Step: Step{Key: r.Key, Name: "imported", Date: r.Date, By: r.By}, subject: f.digest, content: r.File}
	if err := taking.check(); err != nil {
		return nil, err
	}
	replayed := false
	err = p.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if replayed, err = taking.taken(ctx, q); err != nil || replayed {
			return err
		}
		made, err := q.InsertNationalList(ctx, db.InsertNationalListParams{ID: f.digest, Kind: string(f.kind), Period: f.period, File: r.File,
			ImportedBy: r.By, ImportedOn: dateParam(r.Date)})
		if replayed = made == 0; err != nil || replayed { // imported before, by another call
			return err
		}
		if err := taking.record(ctx, q); err != nil {
			return err
		}
		if err := q.SupersedeNationalLists(ctx, db.SupersedeNationalListsParams{Kind: string(f.kind), Period: f.period, ID: f.digest}); err != nil {
			return err
		}
		rows := db.InsertNationalFiguresParams{List: f.digest}
		for _, row := range f.rows {
			rows.Provinces, rows.Funds, rows.Lines = append(rows.Provinces, row.province), append(rows.Funds, row.fund), append(rows.Lines, int64(row.line))
			rows.First, rows.Second = append(rows.First, int64(row.amounts[0])), append(rows.Second, int64(row.amounts[1]))
		}
		return q.InsertNationalFigures(ctx, rows)
	})
	if err != nil {
		return nil, err
	}
	list, err := p.National(ctx, f.digest)
	if err == nil {
		list.Replayed = replayed
	}
	return list, err
}

// NationalAcceptance asks to accept a list.
type NationalAcceptance struct {
	List   string
	Date   civil.Date
	By     string
	Reason string // why its differences are accepted; needed where there are any
	Key    string // of idempotency
}

// AcceptNational accepts the national figures of a list with its differences as
// they stand. From then on a clearing list limits what is paid to each province
// (clearing.Remit), and the plan of the year has the quotas of a quota notice. The
// same key with the same content gives the list as it stands.
//
// Errors: NotFound (no such list); Permission (by whom it was imported);
// Precondition (a later list has taken its place; the run of a clearing list is not
// frozen, so differences are not final; the plan was made already); Invalid (form,
// no reason where it differs); AlreadyExists (the key stands with other content).
func (p *Prepayments) AcceptNational(ctx context.Context, a NationalAcceptance) (*NationalList, error) {
	taking := step{Step: Step{Key: a.Key, Name: "accepted", Date: a.Date, By: a.By, Reason: a.Reason}, subject: a.List}
	if err := taking.check(); err != nil {
		return nil, err
	}
	list, err := p.National(ctx, a.List)
	if err != nil {
		return nil, err
	}
	replayed := false
	err = p.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		row, err := q.LockNationalList(ctx, a.List)
		if err != nil {
			return err
		}
		if replayed, err = taking.taken(ctx, q); err != nil || replayed {
			return err
		}
		if err := p.mayAccept(ctx, q, row, list, a); err != nil {
			return err
		}
		if err := taking.record(ctx, q); err != nil {
			return err
		}
		return q.AcceptNationalList(ctx, a.List)
	})
	if err != nil {
		return nil, err
	}
	if list, err = p.National(ctx, a.List); err == nil {
		list.Replayed = replayed
	}
	return list, err
}

func (p *Prepayments) mayAccept(ctx context.Context, q *db.Queries, row db.NationalList, list *NationalList, a NationalAcceptance) error {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Precondition, format, args...).With("list", row.ID)
	}
	switch {
	case row.ImportedBy == a.By:
		return fault.New(fault.Permission, "list %s was imported by %s, so %s cannot accept it: another person must", row.ID, row.ImportedBy, a.By).
			With("list", row.ID).With("imported_by", row.ImportedBy).With("accepted_by", a.By)
	case !row.InForce:
		return refuse("a later list of %s %s has taken the place of %s", row.Kind, row.Period, row.ID)
	case row.State == "accepted":
		return refuse("list %s is accepted already", row.ID)
	case NationalKind(row.Kind) == ClearingList && list.Uncomparing != "":
		return refuse("list %s cannot be accepted yet: %s", row.ID, list.Uncomparing)
	case len(list.Comparison) > 0 && a.Reason == "":
		return fault.New(fault.Invalid, "list %s differs from our figures in %d records: give the reason why it is accepted", row.ID, len(list.Comparison)).With("field", "reason")
	}
	if NationalKind(row.Kind) != QuotaNotice {
		return nil
	}
	year, _ := strconv.Atoi(row.Period) // was read as one
	if _, err := q.GetPlan(ctx, PlanID(year, CrossProvince)); err != pgx.ErrNoRows {
		if err == nil {
			err = refuse("plan %s was made already and is frozen", PlanID(year, CrossProvince))
		}
		return err
	}
	return nil
}

// National returns a list with its differences from our figures. NotFound when
// there is none.
func (p *Prepayments) National(ctx context.Context, id string) (*NationalList, error) {
	lists, err := p.Nationals(ctx, NationalQuery{List: id})
	if err == nil && len(lists) == 0 {
		err = fault.New(fault.NotFound, "there is no national list %s: prepayment national list shows those there are", id).With("list", id)
	}
	if err != nil {
		return nil, err
	}
	return &lists[0], nil
}

// NationalQuery selects lists; an empty field selects all.
type NationalQuery struct {
	List   string
	Kind   NationalKind
	Period string
}

// Nationals lists the national lists by id, which begins with kind and period.
func (p *Prepayments) Nationals(ctx context.Context, query NationalQuery) ([]NationalList, error) {
	var lists []NationalList
	err := p.store.Snapshot(ctx, func(tx pgx.Tx) error {
		lists = []NationalList{}
		q := db.New(tx)
		rows, err := q.ListNationalLists(ctx, db.ListNationalListsParams{ID: query.List, Kind: string(query.Kind), Period: query.Period})
		if err != nil {
			return err
		}
		for _, row := range rows {
			l := NationalList{ID: row.ID, Kind: NationalKind(row.Kind), Period: row.Period, File: row.File, ImportedBy: row.ImportedBy,
				ImportedOn: civil.DateOf(row.ImportedOn), Accepted: row.State == "accepted", InForce: row.InForce}
			if err := p.fillNational(ctx, tx, &l); err != nil {
				return err
			}
			lists = append(lists, l)
		}
		return nil
	})
	for i := range lists { // outside of the snapshot: the bases are read in one of their own
		if l := &lists[i]; err == nil && l.Kind == QuotaNotice {
			ours, failed := p.ourQuotas(ctx, l.Period)
			err = l.compare(p, ours, failed)
		}
	}
	return lists, err
}

// fillNational adds records, steps and, where the tables have them, differences.
func (p *Prepayments) fillNational(ctx context.Context, tx pgx.Tx, l *NationalList) (err error) {
	q := db.New(tx)
	if l.figures, err = q.NationalFigures(ctx, l.ID); err != nil {
		return err
	}
	l.Records = len(l.figures)
	if l.Steps, err = stepsOf(ctx, q, l.ID); err != nil || l.Kind == QuotaNotice {
		return err
	}
	ours, failed := p.ourFigures(ctx, tx, l)
	return l.compare(p, ours, failed)
}

// inForce is the list of the kind and period that holds, with its figures; nil
// where none was imported.
func inForce(ctx context.Context, q *db.Queries, kind NationalKind, period string) (*db.NationalList, map[provinceFund]accounts.Fen, error) {
	lists, err := q.ListNationalLists(ctx, db.ListNationalListsParams{Kind: string(kind), Period: period, InForceOnly: true})
	if err != nil || len(lists) == 0 {
		return nil, nil, err
	}
	rows, err := q.NationalFigures(ctx, lists[0].ID)
	amounts := map[provinceFund]accounts.Fen{}
	for _, r := range rows {
		amounts[provinceFund{r.Province, r.Fund}] = accounts.Fen(r.FirstFen)
	}
	return &lists[0], amounts, err
}
