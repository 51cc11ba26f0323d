package settlement

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// KindWithdrawalPending is the kind of an exception that some sides have withdrawn
// and others have not.
const KindWithdrawalPending = "withdrawal_pending"

// withdrawalColumns are those of a file of withdrawals.
var withdrawalColumns = []string{"setl_id", "date", "reason", "document"}

// WithdrawalColumns are the columns that a file of withdrawals must have.
func WithdrawalColumns() []string { return slices.Clone(withdrawalColumns) }

// maxWithdrawals bounds a file, since it is one transaction.
const maxWithdrawals = 2000

// Withdrawal states.
const (
	WithdrawalPending  = "pending"  // other sides still have the record
	WithdrawalDone     = "done"     // all sides that had it have withdrawn it before it was posted
	WithdrawalReversed = "reversed" // all three sides have, and what was left of it is taken back
)

// Withdrawal is how a settlement stands that a side has withdrawn.
type Withdrawal struct {
	SetlID string `json:"setl_id"`
	State  string `json:"state"`
	// Missing are the sides that have not withdrawn it.
	Missing []Side `json:"missing,omitempty"`
	// Entry took back what was left; none where nothing was.
	Entry uuid.NullUUID `json:"entry,omitzero"`
	// Sides tell who has withdrawn it, and why.
	Sides []SideWithdrawal `json:"sides"`
}

// SideWithdrawal is the withdrawal of one side.
type SideWithdrawal struct {
	Side     Side       `json:"side"`
	Date     civil.Date `json:"date"`
	Reason   string     `json:"reason"`
	Document string     `json:"document"`
	File     string     `json:"file"`
	Line     int64      `json:"line"`
}

// WithdrawalReport is what became of a file of withdrawals.
type WithdrawalReport struct {
	File          string       `json:"file"`
	Side          Side         `json:"side"`
	AlreadyLoaded bool         `json:"already_loaded"`
	Withdrawals   []Withdrawal `json:"withdrawals"`
}

// Withdraw loads a file of withdrawals (冲正) of one side, all lines or none: UTF-8,
// TAB separated, the columns of WithdrawalColumns. Of a settlement that is not
// posted the side's record counts no more, until a later file brings it again. A
// posted one stays until all three sides have withdrawn it; then what is left of
// it is taken back by a negative record of the latest of their dates, in the
// period open then, linked with its entry. Until then a later file that brings the
// record again revokes the side's withdrawal. The same file again changes nothing.
//
// Errors: Invalid, with every bad line as file:line:field:reason.
func (s *Settlements) Withdraw(ctx context.Context, side Side, name string, content []byte) (*WithdrawalReport, error) {
	if !slices.Contains(Sides(), side) {
		return nil, fault.New(fault.Invalid, "%q is no side: name treating, center or insured", side)
	}
	rows, err := readWithdrawals(name, content)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	report := &WithdrawalReport{File: name, Side: side}
	id := uuid.NewHash(sha256.New(), fileSpace, append([]byte("withdrawals\x00"+side+"\x00"), sum[:]...), 8)
	err = s.store.InTx(ctx, func(tx pgx.Tx) error {
		w := withdrawing{s: s, tx: tx, q: db.New(tx), side: side, file: id, rows: rows}
		_, err := w.q.GetFile(ctx, id)
		if err != nil && err != pgx.ErrNoRows {
			return err
		}
		if report.AlreadyLoaded = err == nil; !report.AlreadyLoaded {
			if err := w.load(ctx, name, sum[:]); err != nil {
				return err
			}
		}
		report.Withdrawals, err = s.withdrawals(ctx, tx, w.q, w.ids())
		return err
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// withdrawalRow is a line of the file.
type withdrawalRow struct {
	line                 int64
	id, reason, document string
	on                   civil.Date
}

func readWithdrawals(file string, content []byte) ([]withdrawalRow, error) {
	if !utf8.Valid(content) {
		return nil, fault.New(fault.Invalid, "%s is not UTF-8", file)
	}
	var rows []withdrawalRow
	var problems []string
	var at map[string]int
	seen := map[string]int64{}
	number := int64(0)
	for text := range strings.SplitSeq(strings.TrimPrefix(string(content), "\uFEFF"), "\n") {
		number++
		text = strings.TrimSuffix(text, "\r")
		cells := strings.Split(text, "\t")
		if at == nil {
			at = map[string]int{}
			for i, name := range cells {
				at[strings.TrimSpace(name)] = i
			}
			for _, name := range withdrawalColumns {
				if _, ok := at[name]; !ok {
					return nil, fault.New(fault.Invalid, "%s:1:%s: the column is missing; the first line must name %s, divided by TAB", file, name, strings.Join(withdrawalColumns, ", "))
				}
			}
			continue
		}
		if text == "" {
			continue
		}
		fail := func(field, format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s:%d:%s:%s", file, number, field, fmt.Sprintf(format, args...)))
		}
		cell := func(name string) string {
			if i := at[name]; i < len(cells) && cells[i] != "null" {
				return strings.TrimSpace(cells[i])
			}
			return ""
		}
		row := withdrawalRow{line: number, id: cell("setl_id"), reason: cell("reason"), document: cell("document")}
		on, err := accounts.ParseDate(cell("date"))
		row.on = on
		switch bad := checkID(fSetlID, row.id, maxSetlID); {
		case bad != nil:
			fail("setl_id", "%s", bad.reason)
		case seen[row.id] > 0:
			fail("setl_id", "the same settlement as line %d", seen[row.id])
		case err != nil:
			fail("date", "%v", err)
		case row.reason == "":
			fail("reason", "a reason is needed")
		case row.document == "":
			fail("document", "the number of a document is needed")
		default:
			seen[row.id] = number
			rows = append(rows, row)
		}
	}
	switch {
	case len(problems) > 0:
		return nil, refusedLines(problems)
	case len(rows) == 0 || len(rows) > maxWithdrawals:
		return nil, fault.New(fault.Invalid, "%s has %s: a file of withdrawals has 1 to %d", file, plural(len(rows), "line"), maxWithdrawals)
	}
	return rows, nil
}

// refusedLines is one error that names the lines.
func refusedLines(problems []string) *fault.Error {
	text := strings.Join(problems[:min(len(problems), 20)], "; ")
	if more := len(problems) - 20; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fault.New(fault.Invalid, "%s", text)
}

// withdrawing loads one file in one transaction.
type withdrawing struct {
	s    *Settlements
	tx   pgx.Tx
	q    *db.Queries
	side Side
	file uuid.UUID
	rows []withdrawalRow
}

func (w *withdrawing) ids() []string {
	ids := make([]string, len(w.rows))
	for i, r := range w.rows {
		ids[i] = r.id
	}
	return ids
}

func (w *withdrawing) load(ctx context.Context, name string, sum []byte) error {
	ids := w.ids()
	said, err := readSides(ctx, w.q, ids)
	if err != nil {
		return err
	}
	before, err := w.q.WithdrawalsOf(ctx, ids)
	if err != nil {
		return err
	}
	posted, err := w.s.posted(ctx, w.tx, w.q, ids)
	if err != nil {
		return err
	}
	var problems []string
	p := db.InsertWithdrawalsParams{Side: string(w.side), FileID: w.file}
	months := map[string]bool{}
	for _, r := range w.rows {
		fail := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s:%d:setl_id:%s", name, r.line, fmt.Sprintf(format, args...)))
		}
		own := said[r.id]
		var record *db.ReadSidesRow
		if own != nil {
			record = own[slices.Index(Sides(), w.side)]
		}
		switch i := slices.IndexFunc(before, func(b db.WithdrawalsOfRow) bool { return b.SetlID == r.id && Side(b.Side) == w.side }); {
		case record == nil:
			fail("the %s side has no record of settlement %s", w.side, r.id)
		case i >= 0:
			fail("settlement %s was withdrawn already by %s, line %d", r.id, before[i].Name, before[i].Line)
		case posted[r.id] && own.refund():
			fail("settlement %s is a posted refund: what it refunded comes back by a new settlement", r.id)
		}
		p.SetlIds, p.Lines, p.Dates = append(p.SetlIds, r.id), append(p.Lines, r.line), append(p.Dates, dateParam(r.on))
		p.Reasons, p.Documents = append(p.Reasons, r.reason), append(p.Documents, r.document)
		if own != nil && !posted[r.id] {
			months[string(own.month())] = true
		}
	}
	if len(problems) > 0 {
		return refusedLines(problems)
	}
	if err := w.register(ctx, name, sum, months); err != nil {
		return err
	}
	if _, err := w.q.InsertWithdrawals(ctx, p); err != nil {
		return err
	}
	open := slices.DeleteFunc(ids, func(id string) bool { return posted[id] })
	if err := w.q.MarkWithdrawn(ctx, db.MarkWithdrawnParams{Side: string(w.side), SetlIds: open}); err != nil {
		return err
	}
	if err := w.q.DropWaiting(ctx, open); err != nil {
		return err
	}
	return w.conclude(ctx, name, posted)
}

// register makes the file one of the imported files, so that reconciliations that
// run now see that something has come.
func (w *withdrawing) register(ctx context.Context, name string, sum []byte, months map[string]bool) error {
	last, err := w.q.LastLoadOrder(ctx)
	if err != nil {
		return err
	}
	if err := w.q.InsertFile(ctx, db.InsertFileParams{ID: w.file, Side: string(w.side), Sha256: sum, Name: name, LoadOrder: last + 1, Ignored: []string{}}); err != nil {
		return err
	}
	list := []string{}
	for month := range months {
		list = append(list, month)
	}
	slices.Sort(list)
	if err := w.q.AddFileMonths(ctx, db.AddFileMonthsParams{FileID: w.file, Months: list}); err != nil {
		return err
	}
	return w.q.FinishFile(ctx, db.FinishFileParams{RowCount: int64(len(w.rows)), ID: w.file})
}

// conclude takes back what all three sides have withdrawn of posted settlements,
// keeps what only some have as an exception, and closes the exceptions of what all
// have.
func (w *withdrawing) conclude(ctx context.Context, name string, posted map[string]bool) error {
	ids := w.ids()
	said, err := readSides(ctx, w.q, ids)
	if err != nil {
		return err
	}
	all, err := w.s.withdrawals(ctx, w.tx, w.q, ids)
	if err != nil {
		return err
	}
	standings, err := w.s.Standings(ctx, w.tx, ids)
	if err != nil {
		return err
	}
	var over db.ResolveExceptionsParams
	var negatives []Negative
	for _, one := range all {
		if len(one.Missing) > 0 {
			own := said[one.SetlID]
			err := w.q.WriteException(ctx, db.WriteExceptionParams{SetlID: one.SetlID, Month: string(own.month()), Kind: KindWithdrawalPending,
				Refund: own.refund(), Detail: one.detail()})
			if err != nil {
				return err
			}
			continue
		}
		over.SetlIds, over.Files = append(over.SetlIds, one.SetlID), append(over.Files, name)
		st := standings[one.SetlID]
		if !posted[one.SetlID] || st == nil {
			continue
		}
		n := Negative{ID: reversalOf(one.SetlID), Of: st, Amounts: st.Left(), Title: "三方冲正", Preparer: preparer}
		for _, side := range one.Sides {
			if n.On.IsZero() || n.On.Before(side.Date) {
				n.On, n.Source = side.Date, side.Document
			}
		}
		if n.On.Before(st.SettledOn) {
			n.On = st.SettledOn
		}
		if err := w.s.Reduce(ctx, w.tx, st, Withdrawn, n.ID, n.On, n.Amounts); err != nil {
			return err
		}
		if n.Amounts != (Parts{}) {
			negatives = append(negatives, n)
		}
	}
	if len(over.SetlIds) > 0 {
		if _, err := w.q.ResolveExceptions(ctx, over); err != nil {
			return err
		}
	}
	_, err = w.s.PostNegatives(ctx, w.tx, negatives)
	return err
}

// revoke drops the side's withdrawals of posted settlements that this later file
// brings again, and what they left open.
func (c *collision) revoke(ctx context.Context, ids []string) error {
	revoked, err := c.q.RevokeWithdrawals(ctx, db.RevokeWithdrawalsParams{Side: string(c.side), SetlIds: ids, LoadOrder: c.order})
	if err != nil || len(revoked) == 0 {
		return err
	}
	slices.Sort(revoked)
	said, err := readSides(ctx, c.q, revoked)
	if err != nil {
		return err
	}
	still, err := c.s.withdrawals(ctx, c.tx, c.q, revoked)
	if err != nil {
		return err
	}
	var over db.ResolveExceptionsParams
	for _, id := range revoked {
		i := slices.IndexFunc(still, func(w Withdrawal) bool { return w.SetlID == id })
		if i < 0 {
			over.SetlIds, over.Files = append(over.SetlIds, id), append(over.Files, c.name)
			continue
		}
		err := c.q.WriteException(ctx, db.WriteExceptionParams{SetlID: id, Month: string(said[id].month()), Kind: KindWithdrawalPending,
			Refund: said[id].refund(), Detail: still[i].detail()})
		if err != nil {
			return err
		}
	}
	if len(over.SetlIds) == 0 {
		return nil
	}
	_, err = c.q.ResolveExceptions(ctx, over)
	return err
}

// reversalOf is the id of the negative record of a withdrawn settlement.
func reversalOf(setlID string) string { return "withdrawal/" + setlID }

// detail says who has withdrawn it.
func (w *Withdrawal) detail() string {
	var list []string
	for _, s := range w.Sides {
		list = append(list, fmt.Sprintf("%s withdrew it on %s (%s:%d, %s)", s.Side, s.Date, s.File, s.Line, s.Reason))
	}
	for _, side := range w.Missing {
		list = append(list, fmt.Sprintf("%s did not", side))
	}
	return strings.Join(list, ", ")
}

// withdrawals tells how withdrawn settlements stand, in the order of the ids; of
// one that no side has withdrawn there is none in the answer.
func (s *Settlements) withdrawals(ctx context.Context, tx pgx.Tx, q *db.Queries, ids []string) ([]Withdrawal, error) {
	rows, err := q.WithdrawalsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	said, err := readSides(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	posted, err := s.posted(ctx, tx, q, ids)
	if err != nil {
		return nil, err
	}
	reductions, err := q.ReductionsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := []Withdrawal{}
	for _, id := range ids {
		w := Withdrawal{SetlID: id, State: WithdrawalDone}
		for _, r := range rows {
			if r.SetlID == id {
				w.Sides = append(w.Sides, SideWithdrawal{Side: Side(r.Side), Date: civil.DateOf(r.WithdrawnOn), Reason: r.Reason, Document: r.Document, File: r.Name, Line: r.Line})
			}
		}
		if len(w.Sides) == 0 {
			continue
		}
		for i, side := range Sides() {
			withdrew := slices.ContainsFunc(w.Sides, func(s SideWithdrawal) bool { return s.Side == side })
			if own := said[id]; !withdrew && own != nil && own[i] != nil {
				w.Missing = append(w.Missing, side)
			}
		}
		switch {
		case len(w.Missing) > 0:
			w.State = WithdrawalPending
		case posted[id]:
			w.State = WithdrawalReversed
		}
		for _, r := range reductions {
			if r.SetlID == id && ReductionKind(r.Kind) == Withdrawn && PartsOf(r.PartsFen...) != (Parts{}) {
				n := Negative{ID: r.ID}
				w.Entry = uuid.NullUUID{UUID: ledger.EntryID(n.key()), Valid: true}
			}
		}
		list = append(list, w)
	}
	return list, nil
}
