package provider

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider/internal/db"
)

// Kinds of a difference between a provider and us.
const (
	KindMissingAtProvider = "missing_at_provider" // accepted here, not in the provider's file
	KindMissingHere       = "missing_here"        // in the file, not accepted here
	KindAmountDiffers     = "amount_differs"
)

// MatchRequest compares a provider's statement file with what is accepted.
type MatchRequest struct {
	Treating, Provider string
	Month              accounts.Month
	File               string // its name, for people
	Content            io.Reader
	Date               civil.Date // on which it is compared
	By                 string
}

// Sum is a number of settlements and what funds pay of them.
type Sum struct {
	Records int64        `json:"records"`
	Amount  accounts.Fen `json:"amount"`
}

// Match (对账结果) is how a month stands between a provider and us.
type Match struct {
	Treating    string           `json:"treating"`
	Provider    string           `json:"provider"`
	Month       accounts.Month   `json:"month"`
	Number      int64            `json:"number"` // of this month's comparisons with the provider, from 1
	File        string           `json:"file"`
	SHA256      string           `json:"sha256"`
	Theirs      Sum              `json:"theirs"`
	Ours        Sum              `json:"ours"`
	Equal       Sum              `json:"equal"`
	Differences map[string]int64 `json:"differences"` // by kind
	Date        civil.Date       `json:"date"`
	By          string           `json:"by"`
	Position    ledger.Position  `json:"position"` // of the journal, as compared
	Replayed    bool             `json:"replayed,omitempty"`
}

// Difference is a settlement in which a provider and we differ.
type Difference struct {
	SetlID string       `json:"setl_id"`
	Kind   string       `json:"kind"`
	Theirs accounts.Fen `json:"theirs"`
	Ours   accounts.Fen `json:"ours"`
	Detail string       `json:"detail"`
}

// Match compares record by record a provider's statement of a month with the
// settlements that are accepted in the journal (J33 J41), refunds included, and keeps the
// result. It posts nothing. The same content again gives the first result, as long
// as what is accepted has not changed.
//
// Errors: Invalid (form; every bad row of the file named).
func (d *Desk) Match(ctx context.Context, r MatchRequest) (*Match, error) {
	if err := required("provider", r.Provider, "by", r.By); err != nil {
		return nil, err
	}
	if err := d.city(r.Treating, "treating"); err != nil {
		return nil, err
	}
	if err := needDate(r.Date, "date"); err != nil {
		return nil, err
	}
	file, err := readStatementFile(r.File, r.Month, r.Content)
	if err != nil {
		return nil, err
	}
	subject, err := d.payable()
	if err != nil {
		return nil, err
	}
	reached, err := d.journal.CatchUp(ctx)
	if err != nil {
		return nil, err
	}
	var c *comparison
	err = d.journal.View(ctx, reached, func(tx pgx.Tx, at ledger.Position) error {
		c = &comparison{request: r, file: file, at: at}
		return c.run(ctx, d, tx, subject)
	})
	if err != nil {
		return nil, err
	}
	var m *Match
	err = d.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		m, err = c.keep(ctx, db.New(tx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// comparison compares a file with the journal.
type comparison struct {
	request MatchRequest
	file    *statementFile
	at      ledger.Position
	ours    map[string]*settlement.Accepted
	differ  []Difference
	equal   Sum
	our     Sum
	their   Sum
}

func (c *comparison) run(ctx context.Context, d *Desk, tx pgx.Tx, subject string) error {
	c.ours = map[string]*settlement.Accepted{}
	month := c.request.Month
	for _, fund := range d.book.Funds {
		account := accounts.Account{Book: accounts.BookOf(c.request.Treating, accounts.Agency), Fund: fund.Code, Subject: subject, Counterparty: c.request.Provider}
		err := d.journal.LinesTx(ctx, tx, account, 0, c.at, month.First(), month.Last(), func(lines []ledger.EntryLine) error {
			var ids []string
			for _, l := range lines {
				if id := settlement.SettlementOf(l.Entry.Key); id != "" && c.ours[id] == nil {
					ids = append(ids, id)
				}
			}
			found, err := settlement.AcceptedOf(ctx, tx, d.book, ids)
			maps.Copy(c.ours, found)
			return err
		})
		if err != nil {
			return err
		}
	}
	for id, a := range c.ours {
		c.our.add(total(a))
		row, ok := c.file.rows[id]
		switch detail := row.differs(a); {
		case !ok:
			c.differ = append(c.differ, Difference{id, KindMissingAtProvider, 0, total(a), "accepted here, settled on " + a.On.String()})
		case detail != "":
			c.differ = append(c.differ, Difference{id, KindAmountDiffers, row.total, total(a), detail})
		default:
			c.equal.add(total(a))
		}
	}
	var missing []string
	for id, row := range c.file.rows {
		c.their.add(row.total)
		switch {
		case c.ours[id] != nil:
		case row.same(claimed{}): // claims nothing
			c.equal.add(0)
		default:
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	for part := range slices.Chunk(missing, 1000) {
		if err := c.explain(ctx, d, tx, part); err != nil {
			return err
		}
	}
	slices.SortFunc(c.differ, func(a, b Difference) int { return cmp.Compare(a.SetlID, b.SetlID) })
	return nil
}

// explain says where settlements are that only the provider has.
func (c *comparison) explain(ctx context.Context, d *Desk, tx pgx.Tx, ids []string) error {
	why, err := settlement.Unaccepted(ctx, tx, ids)
	if err != nil {
		return err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = settlement.KeyOf(id)
	}
	posted, err := d.journal.Posted(ctx, tx, keys...)
	if err != nil {
		return err
	}
	known, err := settlement.AcceptedOf(ctx, tx, d.book, ids)
	for i, id := range ids {
		detail := why[id]
		if a := known[id]; a != nil && posted[keys[i]] {
			detail = fmt.Sprintf("accepted for provider %s of %s, settled on %s", a.Provider, a.Treating, a.On)
		}
		c.differ = append(c.differ, Difference{id, KindMissingHere, c.file.rows[id].total, 0, detail})
	}
	return err
}

func (s *Sum) add(amount accounts.Fen) {
	s.Records++
	s.Amount += amount
}

func total(a *settlement.Accepted) accounts.Fen { return sum(a.Dues) }

// differs says in which amounts the provider differs from us, or returns "".
func (c claimed) differs(a *settlement.Accepted) string {
	if c.parts == nil {
		if c.total != total(a) {
			return fmt.Sprintf("total (provider %s, here %s)", c.total, total(a))
		}
		return ""
	}
	ours := map[string]accounts.Fen{}
	for _, due := range a.Dues {
		ours[due.Field] = due.Amount
	}
	var list []string
	for _, field := range settlement.PartFields() {
		if c.parts[field] != ours[field] {
			list = append(list, fmt.Sprintf("%s (provider %s, here %s)", field, c.parts[field], ours[field]))
		}
	}
	return strings.Join(list, ", ")
}

// digest identifies what is accepted here.
func (c *comparison) digest() string {
	hash := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(c.ours)) {
		fmt.Fprintf(hash, "%s\t%v\n", id, c.ours[id].Dues)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// keep writes the result, unless it stands already.
func (c *comparison) keep(ctx context.Context, q *db.Queries) (*Match, error) {
	r, digest := c.request, c.digest()
	if _, err := lockAccount(ctx, q, r.Treating, r.Provider); err != nil {
		return nil, err
	}
	stands, err := q.MatchOfContent(ctx, db.MatchOfContentParams{Treating: r.Treating, Provider: r.Provider, Month: string(r.Month), Sha256: c.file.sha256, OursSha256: digest})
	if err != nil {
		return nil, err
	}
	if len(stands) > 0 {
		m, err := matchOf(ctx, q, stands[0])
		if m != nil {
			m.Replayed = true
		}
		return m, err
	}
	row := db.ProviderMatch{Treating: r.Treating, Provider: r.Provider, Month: string(r.Month), Number: 1, File: c.file.name, Sha256: c.file.sha256, OursSha256: digest,
		TheirRecords: c.their.Records, TheirFen: int64(c.their.Amount), OurRecords: c.our.Records, OurFen: int64(c.our.Amount),
		EqualRecords: c.equal.Records, EqualFen: int64(c.equal.Amount), MatchedOn: dateParam(r.Date), MatchedBy: r.By, Position: int64(c.at)}
	last, err := q.LastMatch(ctx, db.LastMatchParams{Treating: r.Treating, Provider: r.Provider, Month: string(r.Month)})
	if err != nil {
		return nil, err
	}
	for _, l := range last {
		row.Number = l.Number + 1
	}
	if err := q.InsertMatch(ctx, db.InsertMatchParams(row)); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(c.differ, 5000) {
		p := db.InsertDifferencesParams{Treating: r.Treating, Provider: r.Provider, Month: string(r.Month), Number: row.Number}
		for _, d := range part {
			p.SetlIds, p.Kinds, p.Details = append(p.SetlIds, d.SetlID), append(p.Kinds, d.Kind), append(p.Details, d.Detail)
			p.Theirs, p.Ours = append(p.Theirs, int64(d.Theirs)), append(p.Ours, int64(d.Ours))
		}
		if err := q.InsertDifferences(ctx, p); err != nil {
			return nil, err
		}
	}
	return matchOf(ctx, q, row)
}

func matchOf(ctx context.Context, q *db.Queries, r db.ProviderMatch) (*Match, error) {
	m := &Match{Treating: r.Treating, Provider: r.Provider, Month: accounts.Month(r.Month), Number: r.Number, File: r.File, SHA256: r.Sha256,
		Theirs: Sum{r.TheirRecords, accounts.Fen(r.TheirFen)}, Ours: Sum{r.OurRecords, accounts.Fen(r.OurFen)}, Equal: Sum{r.EqualRecords, accounts.Fen(r.EqualFen)},
		Differences: map[string]int64{}, Date: civil.DateOf(r.MatchedOn), By: r.MatchedBy, Position: ledger.Position(r.Position)}
	counts, err := q.CountDifferences(ctx, db.CountDifferencesParams{Treating: r.Treating, Provider: r.Provider, Month: r.Month, Number: r.Number})
	for _, c := range counts {
		m.Differences[c.Kind] = c.Records
	}
	return m, err
}

// DifferenceQuery selects a page of the differences of a comparison.
type DifferenceQuery struct {
	Treating, Provider string
	Month              accounts.Month
	Number             int64  // 0: the last comparison
	Kind               string // empty: every one
	PageSize           int    // at most 1000; 0 means 100
	PageToken          string
}

// DifferencePage is a page of differences, by settlement.
type DifferencePage struct {
	Match         *Match       `json:"match"`
	Differences   []Difference `json:"differences"`
	NextPageToken string       `json:"next_page_token,omitempty"`
}

// Differences lists in which settlements a provider and we differ. Errors:
// Invalid, NotFound (no such comparison).
func (d *Desk) Differences(ctx context.Context, query DifferenceQuery) (*DifferencePage, error) {
	size, err := paging.Size(query.PageSize, "differences")
	if err != nil {
		return nil, err
	}
	page := &DifferencePage{}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		*page = DifferencePage{Differences: []Difference{}}
		rows, err := q.MatchesOf(ctx, db.MatchesOfParams{Treating: query.Treating, Provider: query.Provider, Month: string(query.Month), Number: query.Number})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fault.New(fault.NotFound, "%s has not been reconciled with provider %s of %s", query.Month, query.Provider, query.Treating)
		}
		if page.Match, err = matchOf(ctx, q, rows[0]); err != nil {
			return err
		}
		list, err := q.PageOfDifferences(ctx, db.PageOfDifferencesParams{Treating: query.Treating, Provider: query.Provider, Month: string(query.Month),
			Number: rows[0].Number, Kind: query.Kind, After: query.PageToken, Page: int32(size) + 1})
		if len(list) > size {
			list = list[:size]
			page.NextPageToken = list[size-1].SetlID
		}
		for _, r := range list {
			page.Differences = append(page.Differences, Difference{r.SetlID, r.Kind, accounts.Fen(r.TheirFen), accounts.Fen(r.OurFen), r.Detail})
		}
		return err
	})
	return page, err
}
