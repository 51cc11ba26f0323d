package accounts

import (
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
)

// checkStatements: on every day on which a layout begins or the chart changes,
// each subject of the cash layer stands in exactly one line of the balance
// sheet, and each that counts as net assets in one opening and one ending line
// of the income statement and in at most one of income or expense; formulas
// name lines of the layout and do not go in circles.
func (b *Rulebook) checkStatements(fail func(string, ...any)) {
	for _, l := range b.Statements {
		if summed := l.Section == Sum || l.Section == Tie; summed == (l.Formula == "") || summed != (l.Subjects == "") {
			fail("%s: a line of section %s has %s and nothing else", statementKey(l), l.Section, map[bool]string{true: "a formula", false: "subjects"}[summed])
		}
	}
	for _, role := range []Role{Agency, Finance} {
		for _, day := range b.layoutDays(role) {
			for _, fund := range b.Funds {
				if fund.On(day) {
					b.checkLayouts(role, fund.Code, day, fail)
				}
			}
		}
	}
}

// layoutDays are the days on which something of the role's layouts or chart
// begins, once it has a layout at all.
func (b *Rulebook) layoutDays(role Role) []civil.Date {
	var days []civil.Date
	first := civil.Date{}
	for _, l := range b.Statements {
		if l.Role == role {
			if days = append(days, l.From); first.IsZero() || l.From.Before(first) {
				first = l.From
			}
			if !l.To.IsZero() {
				days = append(days, l.To)
			}
		}
	}
	if days == nil {
		return nil
	}
	for _, s := range b.Chart.rows {
		if s.Role == role && s.From.After(first) {
			days = append(days, s.From)
		}
	}
	slices.SortFunc(days, civil.Date.Compare)
	return slices.Compact(days)
}

func (b *Rulebook) checkLayouts(role Role, fund string, day civil.Date, fail func(string, ...any)) {
	sheet, income := b.Statements.Layout(BalanceSheet, role, fund, day), b.Statements.Layout(IncomeStatement, role, fund, day)
	where := fmt.Sprintf("statements of %s books, fund %s, on %s", role, fund, day)
	if sheet == nil || income == nil {
		fail("%s: there is no balance sheet or no income statement", where)
		return
	}
	sheet.checkFormulas(where+", balance sheet", fail)
	income.checkFormulas(where+", income statement", fail)
	for _, s := range b.Chart.rows {
		if s.Role != role || s.Layer != Cash || !s.Postable || !s.On(day) {
			continue
		}
		line, ok := sheet.Of(s.Code, Asset, Liability, NetAssets)
		if !ok {
			fail("%s: %s %s is in no line of the balance sheet", where, s.Code, s.Name)
		}
		_, opens := income.Of(s.Code, Opening)
		_, ends := income.Of(s.Code, Ending)
		_, moves := income.Of(s.Code, Income, Expense)
		if net := line.Section == NetAssets; opens != net || ends != net || moves && !net {
			fail("%s: %s %s is net assets of the balance sheet: %v; opening, ending and income or expense of the income statement: %v, %v, %v", where, s.Code, s.Name, net, opens, ends, moves)
		}
	}
	for _, layout := range []Layout{sheet, income} {
		layout.checkOnce(where, fail)
	}
}

// checkOnce: no code stands in two lines whose sections answer the same question.
func (l Layout) checkOnce(where string, fail func(string, ...any)) {
	seen := map[string]string{}
	for _, row := range l {
		question := row.Section
		switch row.Section {
		case Asset, Liability, NetAssets:
			question = "balance"
		case Income, Expense:
			question = "turnover"
		}
		for _, code := range row.Codes() {
			key := string(question) + " " + code
			if other, ok := seen[key]; ok {
				fail("%s: %s stands in line %s and in line %s", where, code, other, row.Line)
			}
			seen[key] = row.Line
		}
	}
}

func (l Layout) checkFormulas(where string, fail func(string, ...any)) {
	state := map[string]int{} // 1: being followed, 2: done
	var follow func(line string, path []string)
	follow = func(line string, path []string) {
		row, ok := l.Find(line)
		switch {
		case !ok:
			fail("%s: there is no line %s (%s)", where, line, strings.Join(path, " → "))
		case state[line] == 1:
			fail("%s: formulas go in a circle: %s → %s", where, strings.Join(path, " → "), line)
		case state[line] == 0:
			state[line] = 1
			for _, term := range row.Terms() {
				follow(term.Line, append(path, line))
			}
			state[line] = 2
		}
	}
	for _, row := range l {
		follow(row.Line, nil)
	}
}
