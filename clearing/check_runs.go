package clearing

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/ledger"
)

// runCheck checks that the lines of each run on 2001.02, 2001.04, 9993 and the
// .02 obligations come to what the run's notices, shares and holdings say is
// open, which is zero in every account once all its notices are paid
// (invariant 2), and that each remittance has its entries.
type runCheck struct {
	clearing *Clearing
	regions  regionKinds
	lines    map[runAccount]accounts.Fen // debits less credits
	entries  map[uuid.UUID]string        // of remittances: key by id
	findings []ledger.Finding
}

// runAccount is an account, its sub-accounts of 2001 taken together, within a
// run; debts also by what expense is split by.
type runAccount struct {
	run     string
	account accounts.Account
	detail  ledger.Dimensions
}

func newRunCheck(c *Clearing) *runCheck {
	return &runCheck{clearing: c, regions: kindsOf(c.book), lines: map[runAccount]accounts.Fen{}, entries: map[uuid.UUID]string{}}
}

func (c *runCheck) Name() string { return "clearing runs" }

func (c *runCheck) Observe(r *ledger.Record) {
	if strings.HasPrefix(r.Key, "remit/") {
		c.entries[r.ID] = r.Key
	}
	for i := range r.Postings {
		p := &r.Postings[i]
		if p.Run == "" {
			continue
		}
		key := runAccount{run: p.Run, account: p.Account}
		switch subject := p.Account.Subject; {
		case under(subject, passThrough):
			key.account.Subject = passThrough
		case under(subject, poolUse):
			key.account.Subject = poolUse
		case subject == debts+assigned:
			key.detail = ledger.Dimensions{Category: p.Category, Part: p.Part, BenefitYear: p.BenefitYear}
		case subject == claims+assigned, subject == owedToUs+assigned, subject == owedByUs+assigned, subject == provincial:
		default:
			continue
		}
		c.lines[key] += p.Signed()
	}
}

func (c *runCheck) find(account, entry, format string, args ...any) {
	c.findings = append(c.findings, ledger.Finding{Check: c.Name(), Account: account, Entry: entry, Message: fmt.Sprintf(format, args...)})
}

func (c *runCheck) Findings(ctx context.Context, tx pgx.Tx) ([]ledger.Finding, error) {
	q := db.New(tx)
	runs, err := q.ListRuns(ctx, "")
	if err != nil {
		return nil, err
	}
	notices, err := c.clearing.readNotices(ctx, q, "")
	if err != nil {
		return nil, err
	}
	want := map[runAccount]accounts.Fen{}
	for _, row := range runs {
		shares, err := runShares(ctx, q, row.ID)
		if err != nil {
			return nil, err
		}
		run := runOf(row)
		c.shares(want, run, shares)
		if err := c.amounts(run, shares, notices); err != nil {
			return nil, err
		}
	}
	for _, n := range notices {
		c.notice(want, n)
	}
	holdings, err := q.AllHoldings(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range holdings {
		c.holding(want, h)
	}
	c.compare(want, notices)
	return c.findings, c.remittances(ctx, q, notices)
}

// shares: what is open of each share stands in the books of both its ends.
func (c *runCheck) shares(want map[runAccount]accounts.Fen, run Run, shares []*Share) {
	for _, s := range shares {
		owed, owes := s.Amount-s.PaidTreating, s.Amount-s.PaidInsured
		if c.regions.city(s.Insured) {
			key := c.key(run.ID, s.Insured, s.Fund, debts+assigned, s.Treating)
			key.detail = ledger.Dimensions{Category: s.Category, Part: s.Part, BenefitYear: s.BenefitYear}
			want[key] -= owes
		}
		if c.regions.city(s.Treating) {
			want[c.key(run.ID, s.Treating, s.Fund, claims+assigned, s.Insured)] += owed
		}
		want[c.key(run.ID, c.regions.home, s.Fund, owedToUs+assigned, s.Insured)] += owes
		want[c.key(run.ID, c.regions.home, s.Fund, owedByUs+assigned, s.Treating)] -= owed
	}
}

// notice: what is paid has passed through the province, and other provinces
// have no shares of their own to be discharged.
func (c *runCheck) notice(want map[runAccount]accounts.Fen, n Notice) {
	for _, line := range n.Lines {
		paid := line.Paid
		if n.Direction == Receive {
			paid = -paid
		}
		want[c.key(n.Run, c.regions.home, line.Fund, provincial, "")] += paid
		if !c.regions.city(n.Party) {
			subject := owedByUs
			if n.Run == RunID(n.Month, CrossIn) {
				subject = owedToUs
			}
			want[c.key(n.Run, c.regions.home, line.Fund, subject+assigned, n.Party)] -= paid
		}
	}
}

func (c *runCheck) holding(want map[runAccount]accounts.Fen, h db.Holding) {
	roles := []accounts.Role{accounts.Agency, accounts.Finance}
	if strings.HasSuffix(h.Run, "/"+string(InProvince)) { // its bank account is the agency's alone
		roles = roles[:1]
	}
	for _, role := range roles {
		a := accounts.Account{Book: accounts.BookOf(c.regions.home, role), Fund: h.Fund, Subject: passThrough, Counterparty: h.Counterparty}
		want[runAccount{run: h.Run, account: a}] -= accounts.Fen(h.HeldFen)
		a.Subject = poolUse
		want[runAccount{run: h.Run, account: a}] += accounts.Fen(h.PoolUsedFen)
	}
}

func (c *runCheck) key(run, region, fund, subject, counterparty string) runAccount {
	return runAccount{run: run, account: accounts.Account{Book: accounts.BookOf(region, accounts.Agency), Fund: fund, Subject: subject, Counterparty: counterparty}}
}

// amounts: the notices carry what the shares add up to.
func (c *runCheck) amounts(run Run, shares []*Share, notices []Notice) error {
	t, err := sum(run, shares)
	if err != nil {
		return err
	}
	type lineKey struct{ notice, fund string }
	differ := map[lineKey]accounts.Fen{}
	for _, n := range c.clearing.draftNotices(run, schedule{}, t) {
		for _, line := range n.Lines {
			differ[lineKey{n.ID, line.Fund}] += line.Amount
		}
	}
	for _, n := range notices {
		for _, line := range n.Lines {
			if n.Run == run.ID {
				differ[lineKey{n.ID, line.Fund}] -= line.Amount
			}
		}
	}
	for key, amount := range differ {
		if amount != 0 {
			c.find("", "", "notice %s, fund %s: the run's shares come to %s more than the notice", key.notice, key.fund, amount)
		}
	}
	return nil
}

// compare the journal's lines with what the tables want of them.
func (c *runCheck) compare(want map[runAccount]accounts.Fen, notices []Notice) {
	open := map[string]bool{}
	for _, n := range notices {
		open[n.Run] = open[n.Run] || !n.Closed()
	}
	differ := map[runAccount]accounts.Fen{}
	maps.Copy(differ, c.lines)
	for key, amount := range want {
		differ[key] -= amount
	}
	for _, key := range slices.SortedFunc(maps.Keys(differ), compareRunAccounts) {
		switch {
		case differ[key] == 0:
		case open[key.run]:
			c.find(key.account.String(), "", "run %s: the journal has %s here (debits less credits%s), the run's tables say %s", key.run, c.lines[key], key.split(), want[key])
		default:
			c.find(key.account.String(), "", "run %s is paid, but its lines here come to %s instead of 0.00%s", key.run, c.lines[key], key.split())
		}
	}
}

func (k runAccount) split() string {
	if k.detail == (ledger.Dimensions{}) {
		return ""
	}
	return fmt.Sprintf("; category %s, part %q, benefit year %d", k.detail.Category, k.detail.Part, k.detail.BenefitYear)
}

func compareRunAccounts(a, b runAccount) int {
	return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.account.String(), b.account.String()),
		cmp.Compare(a.detail.Category, b.detail.Category), cmp.Compare(a.detail.Part, b.detail.Part), cmp.Compare(a.detail.BenefitYear, b.detail.BenefitYear))
}

// remittances: each has its entries, each entry of a remittance has its row,
// and together they are what is paid on the notices.
func (c *runCheck) remittances(ctx context.Context, q *db.Queries, notices []Notice) error {
	paid := map[string]accounts.Fen{}
	ids := make([]string, len(notices))
	for i, n := range notices {
		ids[i] = n.ID
		paid[n.ID] = n.Amount - n.Open
	}
	rows, err := q.ListRemittances(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		for _, id := range row.Entries {
			if _, ok := c.entries[id]; !ok {
				c.find("", id.String(), "remittance %q of notice %s names an entry that the journal lacks", row.Reference, row.Notice)
			}
			delete(c.entries, id)
		}
		for _, amount := range row.AmountsFen {
			paid[row.Notice] -= accounts.Fen(amount)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(c.entries), func(a, b uuid.UUID) int { return cmp.Compare(c.entries[a], c.entries[b]) }) {
		c.find("", id.String(), "the entry %q belongs to no recorded remittance", c.entries[id])
	}
	for _, n := range notices {
		if paid[n.ID] != 0 {
			c.find("", "", "notice %s counts %s more as paid than its remittances come to", n.ID, paid[n.ID])
		}
	}
	return nil
}
