package export

import (
	"fmt"
	"strings"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/ledger"
)

// span writes the accounting periods of a statement.
func span(from, to accounts.Month) string {
	if from == to {
		return string(from)
	}
	return string(from) + " 至 " + string(to)
}

// under are the lines below the title of a statement.
func under(book accounts.Book, fund, period string, position ledger.Position) []string {
	return []string{fmt.Sprintf("账套：%s　　险种：%s　　期间：%s　　账簿位置：%d　　单位：元", book, fund, period, position)}
}

// TrialBalanceSheet lays out a 科目余额表.
func TrialBalanceSheet(t *statement.TrialBalance) Sheet {
	s := Sheet{
		Name: "科目余额表", Title: "科目余额表", Lines: under(t.Book, t.Fund, span(t.From, t.To), t.Position),
		Columns: []Column{{"科目编码", 14}, {"科目名称", 40}, {"期初借方", 20}, {"期初贷方", 20}, {"本期借方", 20}, {"本期贷方", 20}, {"期末借方", 20}, {"期末贷方", 20}},
	}
	row := func(r statement.TrialRow) []any {
		return []any{r.Subject, strings.Repeat("　", max(r.Level-1, 0)) + r.Name, r.OpeningDebit, r.OpeningCredit, r.Debit, r.Credit, r.ClosingDebit, r.ClosingCredit}
	}
	for _, r := range t.Rows {
		s.Rows = append(s.Rows, row(r))
	}
	for _, r := range t.Totals {
		r.Name = map[accounts.Layer]string{accounts.Cash: "合计（会计）", accounts.Obligation: "合计（备查）"}[r.Layer]
		s.Totals = append(s.Totals, row(r))
	}
	return s
}

// StatementSheet lays out a 资产负债表 or a 收支表.
func StatementSheet(made *statement.Statement) Sheet {
	title, first, second, period := "收支表", "本期数", "本年累计数", span(made.From, made.To)
	if made.Kind == accounts.BalanceSheet {
		title, first, second, period = "资产负债表", "期末数", "年初数", string(made.To)+" 末"
	}
	s := Sheet{
		Name: title, Title: "社会保险基金" + title, Lines: under(made.Book, made.Fund, period, made.Position),
		Columns: []Column{{"行次", 10}, {"项目", 44}, {first, 24}, {second, 24}},
	}
	for _, f := range made.Figures {
		s.Rows = append(s.Rows, []any{f.Line, f.Title, f.Amount, f.Other})
	}
	for _, t := range made.Ties {
		verdict := "相符"
		if t.Difference != 0 || t.Other != 0 {
			verdict = fmt.Sprintf("不符，差额 %s；%s", t.Difference, t.Other)
		}
		s.Notes = append(s.Notes, fmt.Sprintf("勾稽：%s：%s", t.Title, verdict))
	}
	return s
}

// GeneralLedgerSheet lays out a 总账.
func GeneralLedgerSheet(g *statement.GeneralLedger) Sheet {
	s := Sheet{
		Name: "总账", Title: "总账", Lines: under(g.Book, g.Fund, span(g.From, g.To), g.Position),
		Columns: []Column{{"科目编码", 14}, {"科目名称", 40}, {"月份", 10}, {"本月借方", 20}, {"本月贷方", 20}, {"本年借方累计", 20}, {"本年贷方累计", 20}, {"方向", 6}, {"余额", 20}},
	}
	side := func(balance accounts.Fen) (string, accounts.Fen) {
		switch {
		case balance > 0:
			return "借", balance
		case balance < 0:
			return "贷", -balance
		}
		return "平", 0
	}
	for _, of := range g.Subjects {
		direction, amount := side(of.Opening)
		s.Rows = append(s.Rows, []any{of.Subject, of.Name, "期初", nil, nil, nil, nil, direction, amount})
		for _, m := range of.Months {
			direction, amount := side(m.Balance)
			s.Rows = append(s.Rows, []any{of.Subject, of.Name, string(m.Month), m.Debit, m.Credit, m.YearDebit, m.YearCredit, direction, amount})
		}
	}
	return s
}

// AgeingSheet lays out a 往来账龄.
func AgeingSheet(a *statement.Ageing) Sheet {
	s := Sheet{
		Name: "往来账龄", Title: "往来款项账龄分析表", Lines: under(a.Book, a.Fund, a.Date.String()+" 末", a.Position),
		Columns: []Column{{"科目编码", 14}, {"科目名称", 40}, {"往来单位", 16}, {"余额", 20}},
		Notes:   []string{"注：先进先出，账龄按业务日期计算天数；合计为暂付款减暂收款。"},
	}
	for i := range a.Total {
		s.Columns = append(s.Columns, Column{a.BucketName(i) + " 天", 20})
	}
	s.Columns = append(s.Columns, Column{"最早日期", 12})
	var sum accounts.Fen
	total := []any{"合计", nil, nil, nil}
	for _, r := range a.Rows {
		row := []any{r.Account.Subject, r.Name, r.Account.Counterparty, r.Balance}
		for _, b := range r.Buckets {
			row = append(row, b)
		}
		s.Rows = append(s.Rows, append(row, r.Oldest.String()))
	}
	for _, b := range a.Total {
		sum += b
		total = append(total, b)
	}
	total[3] = sum
	s.Totals = [][]any{append(total, nil)}
	return s
}
