package main

import (
	"fmt"
	"slices"
	"strings"

	"fundledger/accounts"
)

var (
	roleName  = map[accounts.Role]string{accounts.Agency: "books of agencies 经办机构", accounts.Finance: "books of finance departments 财政部门"}
	layerName = map[accounts.Layer]string{accounts.Cash: "会计 cash", accounts.Obligation: "备查 obligation"}
)

func printChart(app *app, r rulesReport) {
	app.printf("\nFunds 险种\n\n")
	t := newTable("Code", "Name 名称", "Field", "Holds 执行", "Source 依据")
	for _, f := range r.Funds {
		t.row(f.Code, f.Name, f.Field, span(f.Effective), f.Source)
	}
	t.print(app.out)
	for _, role := range []accounts.Role{accounts.Agency, accounts.Finance} {
		app.printf("\nChart of accounts 会计科目, %s\n\n", roleName[role])
		t = newTable("Code", "Name 科目", "Layer", "Side 方向", "By 往来", "No overdraft 不得透支", "Holds 执行", "Source 依据")
		for _, s := range r.Chart {
			if s.Role != role {
				continue
			}
			name := strings.Repeat("  ", strings.Count(s.Code, ".")) + s.Name
			if !s.Postable {
				name += "（汇总）"
			}
			t.row(s.Code, name, layerName[s.Layer], entrySide[s.Normal], s.Counterparty, floorOf(s), span(s.Effective), s.Source)
		}
		t.print(app.out)
	}
}

// floorOf says what may not fall below zero: the account, its group, or both.
func floorOf(s accounts.Subject) string {
	var floors []string
	if s.Floor {
		floors = append(floors, "account")
	}
	if s.Group != "" {
		group := "group " + s.Group
		if s.GroupByCounterparty {
			group += " each"
		}
		floors = append(floors, group)
	}
	return strings.Join(floors, ", ")
}

// printCalendar prints one line a holiday: its first and last day off and the
// weekend days worked in exchange.
func printCalendar(app *app, days []accounts.CalendarDay) {
	app.printf("\nWorking-day calendar 工作日历\n\n")
	t := newTable("Year", "Holiday 节日", "Days off 放假", "", "Worked 上班", "Source 依据")
	t.alignRight(4)
	type holiday struct {
		year int
		name string
	}
	var order []holiday
	off, worked, source := map[holiday][]accounts.CalendarDay{}, map[holiday][]string{}, map[holiday]string{}
	for _, d := range days {
		h := holiday{d.Date.Year, d.Name}
		if source[h] == "" {
			order = append(order, h)
		}
		source[h] = d.Source
		if d.Kind == accounts.Holiday {
			off[h] = append(off[h], d)
		} else {
			worked[h] = append(worked[h], d.Date.String()[5:])
		}
	}
	for _, h := range order {
		first, last, n := "", "", len(off[h])
		if n > 0 {
			first, last = off[h][0].Date.String()[5:], off[h][n-1].Date.String()[5:]
		}
		if first != last {
			first += " – " + last
		}
		t.row(h.year, h.name, first, fmt.Sprintf("%d d", n), strings.Join(worked[h], ", "), source[h])
	}
	t.print(app.out)
}

func printCodes(app *app, r rulesReport) {
	app.printf("\nCodes 代码\n\n")
	t := newTable("List", "Code", "Name 名称", "Expense 支出科目", "Holds 执行", "Source 依据")
	for _, c := range r.Codes {
		if c.List != accounts.SourceMark {
			t.row(string(c.List), c.Code, c.Name, c.Expense, span(c.Effective), c.Source)
		}
	}
	t.print(app.out)
	app.printf("\nRegions 统筹地区及外省\n\n")
	t = newTable("Code", "Name 名称", "Kind")
	for _, region := range r.Regions {
		t.row(region.Code, region.Name, string(region.Kind))
	}
	t.print(app.out)
}

var accessRoleName = map[accounts.AccessRole]string{
	accounts.Viewer: "查询 viewer", accounts.Operator: "经办 operator", accounts.Approver: "复核 approver",
	accounts.Auditor: "审计 auditor", accounts.Admin: "管理 admin",
}

// printAccess prints a column for each role, so that one sees at a glance what
// somebody may do.
func printAccess(app *app, rules []accounts.AccessRule) {
	app.printf("\nAccess 权限: the roles that may do an action, each in the regions that it is held for\n\n")
	columns := []any{"Action"}
	for _, role := range accounts.AccessRoles() {
		columns = append(columns, accessRoleName[role])
	}
	t := newTable(append(columns, "Title", "Holds 执行", "Source 依据")...)
	for _, rule := range rules {
		cells := []any{rule.Action}
		for _, role := range accounts.AccessRoles() {
			mark := ""
			if slices.Contains(rule.Roles.Roles(), role) {
				mark = "✓"
			}
			cells = append(cells, mark)
		}
		t.row(append(cells, rule.Title, span(rule.Effective), rule.Source)...)
	}
	t.print(app.out)
}

var statementName = map[accounts.StatementKind]string{accounts.BalanceSheet: "Balance sheet 资产负债表", accounts.IncomeStatement: "Income statement 收支表"}

// printStatements prints one table a layout.
func printStatements(app *app, lines []accounts.StatementLine) {
	for len(lines) > 0 {
		n, head := 0, lines[0]
		for n < len(lines) && lines[n].Statement == head.Statement && lines[n].Role == head.Role && lines[n].Fund == head.Fund {
			n++
		}
		fund := head.Fund
		if fund == "" {
			fund = "without a layout of its own"
		}
		app.printf("\n%s, %s, fund %s\n\n", statementName[head.Statement], roleName[head.Role], fund)
		t := newTable("Line 行次", "Title 项目", "Section", "Of 科目或公式", "Holds 执行", "Source 依据")
		for _, l := range lines[:n] {
			t.row(l.Line, l.Title, string(l.Section), l.Subjects+l.Formula, span(l.Effective), l.Source)
		}
		t.print(app.out)
		lines = lines[n:]
	}
}
