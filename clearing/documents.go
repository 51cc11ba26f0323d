package clearing

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/settlement"
)

// Documents are the tables and notices of one frozen run, as amounts were
// fixed: what is paid on them since does not change them.
type Documents struct {
	Run     Run           `json:"run"`
	Balance *BalanceTable `json:"balance,omitempty"` // in-province only
	Detail  *DetailTable  `json:"detail,omitempty"`  // between provinces only
	Notices []Notice      `json:"notices"`
	Carried CarriedTable  `json:"carried_over"`
}

// BalanceTable is the 江苏省异地就医医疗费用清算平衡总表 (annex 10, J47).
type BalanceTable struct {
	Run        string       `json:"run"`
	Month      string       `json:"month"`
	NoticeDate civil.Date   `json:"notice_date"`
	Rows       []BalanceRow `json:"rows"`
	Funds      []BalanceRow `json:"funds"` // totals per fund
	Total      BalanceRow   `json:"total"`
}

// BalanceRow is what one city owes and is owed in one fund. A positive net is
// paid to the province (差出), a negative one is got from it (差进).
type BalanceRow struct {
	City       string       `json:"city,omitempty"`
	CityName   string       `json:"city_name,omitempty"`
	Fund       string       `json:"fund,omitempty"`
	FundName   string       `json:"fund_name,omitempty"`
	Payable    accounts.Fen `json:"payable"`
	Receivable accounts.Fen `json:"receivable"`
	Net        accounts.Fen `json:"net"`
	Pays       accounts.Fen `json:"pays"`
	Gets       accounts.Fen `json:"gets"`
}

// DetailTable is the 江苏省跨省异地就医费用清算明细表 (annex 11, J48), one for each
// way: our patients elsewhere, and patients of other provinces here.
type DetailTable struct {
	Run        string      `json:"run"`
	Kind       Kind        `json:"kind"`
	Month      string      `json:"month"`
	NoticeDate civil.Date  `json:"notice_date"`
	Rows       []DetailRow `json:"rows"`
	Cities     []DetailRow `json:"cities"` // totals per city and fund
	Total      DetailTotal `json:"total"`
}

// DetailTotal is the sum over all funds; bills are not added up over funds.
type DetailTotal struct {
	Pooled  accounts.Fen `json:"pooled"`
	Account accounts.Fen `json:"account"`
	Amount  accounts.Fen `json:"amount"`
}

// DetailRow is what one city and one other province clear in one fund. Bills
// that touch the fund are counted by what they touch: a bill paid by the fund
// and by the account counts once in each.
type DetailRow struct {
	City           string       `json:"city,omitempty"`
	CityName       string       `json:"city_name,omitempty"`
	Province       string       `json:"province,omitempty"`
	ProvinceName   string       `json:"province_name,omitempty"`
	Fund           string       `json:"fund,omitempty"`
	FundName       string       `json:"fund_name,omitempty"`
	PooledRecords  int64        `json:"pooled_records"`
	Pooled         accounts.Fen `json:"pooled"` // 统筹 and all else that is not the account
	AccountRecords int64        `json:"account_records"`
	Account        accounts.Fen `json:"account"` // 个人账户
	Amount         accounts.Fen `json:"amount"`
}

// CarriedTable lists the records that missed the cut-off of their month and
// were taken into this run, the overdue ones marked (J49).
type CarriedTable struct {
	Run     string                         `json:"run"`
	Records []settlement.CarriedOverRecord `json:"records"`
}

// Documents returns the tables and notices of the frozen runs of a month.
// Errors: NotFound, Precondition when a run is missing or not frozen.
func (c *Clearing) Documents(ctx context.Context, month accounts.Month) ([]Documents, error) {
	var documents []Documents
	err := c.store.Snapshot(ctx, func(tx pgx.Tx) error {
		documents = nil
		q := db.New(tx)
		notices, err := c.readNotices(ctx, q, month)
		if err != nil {
			return err
		}
		for _, kind := range Kinds() {
			run, err := frozenRun(ctx, q, RunID(month, kind))
			if err != nil {
				return err
			}
			d, err := c.documentsOf(ctx, tx, run, notices)
			if err != nil {
				return err
			}
			documents = append(documents, d)
		}
		return nil
	})
	return documents, err
}

// documentsOf makes the documents of a frozen run out of its shares and its
// notices among those given.
func (c *Clearing) documentsOf(ctx context.Context, tx pgx.Tx, run Run, notices []Notice) (d Documents, err error) {
	shares, err := runShares(ctx, db.New(tx), run.ID)
	if err != nil {
		return d, err
	}
	d = Documents{Run: run, Notices: []Notice{}, Carried: CarriedTable{Run: run.ID}}
	for _, n := range notices {
		if n.Run == run.ID {
			n.unpaid()
			d.Notices = append(d.Notices, n)
		}
	}
	if run.Kind == InProvince {
		d.Balance = c.balanceTable(run, shares)
	} else {
		d.Detail = c.detailTable(run, shares)
	}
	d.Carried.Records, err = settlement.CarriedOver(ctx, tx, c.book, run.ID, run.Month)
	return d, err
}

// unpaid takes off what was paid on the notice since it was issued.
func (n *Notice) unpaid() {
	n.Paid, n.Open = nil, n.Amount
	for i := range n.Lines {
		n.Lines[i].Paid, n.Lines[i].Open, n.Lines[i].Closed = 0, n.Lines[i].Amount, false
	}
}

func (c *Clearing) fundName(code string, on civil.Date) string {
	for _, f := range c.book.Funds {
		if f.Code == code && f.On(on) {
			return f.Name
		}
	}
	return code
}
