package ledger

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// openingKind is the kind of the entries that bring opening balances in.
const openingKind = "opening"

// Opening (期初余额) is the opening balance of one account, and the line of
// the file that it stands on.
type Opening struct {
	File    string
	Line    int
	Date    civil.Date
	Account accounts.Account
	Side    accounts.Side
	Amount  accounts.Fen
}

func (o Opening) at(field string) string { return fmt.Sprintf("%s:%d:%s", o.File, o.Line, field) }

var openingColumns = []string{"book", "fund", "subject", "counterparty", "side", "amount"}

// ReadOpenings reads TAB-separated opening balances with the columns book,
// fund, subject, counterparty, side (D or C) and amount in yuan. Their date
// stands in a line "#date 2025-01-01" before the header, or in a column date;
// other lines that begin with # are comments. All mistakes are listed in one
// Invalid error, each as file:line:field: reason.
func ReadOpenings(in io.Reader, name string) ([]Opening, error) {
	var openings []Opening
	var header, faults []string
	var date civil.Date
	fail := func(line int, field, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s:%d:%s: ", name, line, field)+fmt.Sprintf(format, args...))
	}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if given, ok := strings.CutPrefix(text, "#date"); ok {
			var err error
			if date, err = accounts.ParseDate(strings.TrimSpace(given)); err != nil {
				fail(n, "date", "%s", err)
			}
			continue
		}
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		cells := strings.Split(text, "\t")
		switch {
		case header == nil:
			header = cells
			for _, column := range openingColumns {
				if !slices.Contains(header, column) {
					fail(n, column, "the header lacks this column")
				}
			}
			if len(faults) > 0 {
				return nil, openingFaults(faults)
			}
		case len(cells) != len(header):
			fail(n, header[min(len(cells), len(header)-1)], "%d fields, the header has %d", len(cells), len(header))
		default:
			openings = append(openings, readOpening(name, n, header, cells, date, fail))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	if header == nil {
		fail(1, "header", "there is no header line")
	}
	if len(faults) > 0 {
		return nil, openingFaults(faults)
	}
	return openings, nil
}

func readOpening(name string, line int, header, cells []string, date civil.Date, fail func(int, string, string, ...any)) Opening {
	field := map[string]string{}
	for i, column := range header {
		if field[column] = strings.TrimSpace(cells[i]); field[column] == "null" {
			field[column] = ""
		}
	}
	for _, column := range []string{"book", "fund", "subject"} {
		if field[column] == "" {
			fail(line, column, "is missing")
		}
	}
	o := Opening{File: name, Line: line, Date: date, Side: accounts.Side(field["side"]), Account: accounts.Account{
		Book: accounts.Book(field["book"]), Fund: field["fund"], Subject: field["subject"], Counterparty: field["counterparty"]}}
	var err error
	if given := field["date"]; given != "" {
		if o.Date, err = accounts.ParseDate(given); err != nil {
			fail(line, "date", "%s", err)
		}
	} else if date.IsZero() {
		fail(line, "date", "is missing: write #date YYYY-MM-DD above the header, or give a column date")
	}
	if o.Side != accounts.Debit && o.Side != accounts.Credit {
		fail(line, "side", "%q is neither D nor C", field["side"])
	}
	if o.Amount, err = accounts.ParseYuan(field["amount"]); err != nil {
		fail(line, "amount", "%s", err)
	} else if o.Amount == 0 {
		fail(line, "amount", "is zero: leave the line out")
	}
	return o
}

func openingFaults(faults []string) error {
	return fault.New(fault.Invalid, "%s", strings.Join(faults, "\n"))
}

// Opened counts the entries that PostOpenings has made or found.
type Opened struct {
	Posted   int `json:"posted"`
	Replayed int `json:"replayed"` // stood there already, with the same content
}

// PostOpenings posts the opening balances, one entry per book and fund, all or
// none. The same balances again change nothing. Errors: Invalid with
// file:line:field for an account that the chart does not have and for a book
// and fund that do not balance within a layer or have several dates,
// Precondition where a book and fund has entries already, AlreadyExists where
// it has other opening balances, PeriodClosed and Precondition of Post.
func (j *Journal) PostOpenings(ctx context.Context, openings []Opening) (Opened, error) {
	return j.Under("").PostOpenings(ctx, openings)
}

func (j *Journal) postOpenings(ctx context.Context, k Keyed, openings []Opening) (Opened, error) {
	entries, err := j.openingEntries(openings)
	if err != nil {
		return Opened{}, err
	}
	var opened Opened
	err = j.store.InTx(ctx, func(tx pgx.Tx) error {
		opened = Opened{}
		if err := k.claimOpenings(ctx, tx, entries); err != nil {
			return err
		}
		used, err := usedBefore(ctx, tx, entries)
		if err != nil {
			return err
		}
		results, err := j.PostTx(ctx, tx, entries)
		if err != nil {
			return err
		}
		for i, r := range results {
			switch {
			case r.Err != nil:
				return r.Err
			case r.Replayed:
				opened.Replayed++
			case used[entries[i].Key]:
				a := entries[i].Postings[0].Account
				return fault.New(fault.Precondition, "book %s, fund %s has entries already: opening balances come before the first of them", a.Book, a.Fund).
					With("book", string(a.Book)).With("fund", a.Fund)
			default:
				opened.Posted++
			}
		}
		return nil
	})
	return opened, err
}

func openingKey(a accounts.Account) string { return "opening/" + string(a.Book) + "/" + a.Fund }

// openingEntries groups the balances by book and fund and checks them.
func (j *Journal) openingEntries(openings []Opening) ([]Entry, error) {
	groups := map[string][]Opening{}
	for _, o := range openings {
		groups[openingKey(o.Account)] = append(groups[openingKey(o.Account)], o)
	}
	var faults []string
	var entries []Entry
	for key, group := range groups {
		slices.SortStableFunc(group, func(a, b Opening) int {
			return cmp.Or(cmp.Compare(a.Account.String(), b.Account.String()), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Amount, b.Amount))
		})
		e := Entry{Key: key, Date: group[0].Date, Period: accounts.MonthOf(group[0].Date), Kind: openingKind,
			Summary: "期初余额 opening balances", Source: "期初余额表", Preparer: "setup"}
		sums, first := balancer{}, map[accounts.Layer]Opening{}
		for i := range group {
			o := &group[i]
			p := Posting{Account: o.Account, Side: o.Side, Amount: o.Amount}
			if o.Date != e.Date {
				faults = append(faults, fmt.Sprintf("%s: book %s, fund %s opens on %s as well as on %s", o.at("date"), o.Account.Book, o.Account.Fund, o.Date, e.Date))
			}
			subject, err := j.subject(&p.Account, e.Date)
			if err == nil {
				err = checkLine(&p)
			}
			if err != nil {
				faults = append(faults, o.at("subject")+": "+err.Message)
				continue
			}
			if f, ok := first[subject.Layer]; !ok || o.Line < f.Line {
				first[subject.Layer] = *o
			}
			sums.add(o.Account.Book, o.Account.Fund, subject.Layer, p.Signed())
			e.Postings = append(e.Postings, p)
		}
		for _, s := range sums {
			if s.sum != 0 {
				faults = append(faults, fmt.Sprintf("%s: book %s, fund %s does not balance in the %s layer: debits less credits are %s", first[s.layer].at("amount"), s.book, s.fund, s.layer, s.sum))
			}
		}
		entries = append(entries, e)
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return nil, openingFaults(faults)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	return entries, nil
}

// usedBefore tells which of the opening entries are new, for a book and fund
// that has entries already. It reads the entries themselves, since the
// projection may lag behind them.
func usedBefore(ctx context.Context, tx pgx.Tx, entries []Entry) (map[string]bool, error) {
	ids := make([]uuid.UUID, len(entries))
	for i := range entries {
		ids[i] = entries[i].ID()
	}
	found, err := db.New(tx).FindEntries(ctx, ids)
	if err != nil {
		return nil, err
	}
	var missing []string
	for i := range entries {
		if !slices.ContainsFunc(found, func(row db.FindEntriesRow) bool { return row.ID == ids[i] }) {
			missing = append(missing, entries[i].Key)
		}
	}
	used := map[string]bool{}
	if len(missing) == 0 {
		return used, nil
	}
	rows, err := tx.Query(ctx, `SELECT DISTINCT p.opening FROM (
			SELECT 'opening/' || split_part(account, '/', 1) || '/' || split_part(account, '/', 2) AS opening FROM postings
		) AS p WHERE p.opening = ANY($1::text[])`, missing)
	if err != nil {
		return nil, err
	}
	var key string
	_, err = pgx.ForEachRow(rows, []any{&key}, func() error {
		used[key] = true
		return nil
	})
	return used, err
}
