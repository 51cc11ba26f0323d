package accounts

import (
	"context"

	"fundledger/accounts/internal/db"
)

// writer inserts and ends rows; after an error it does nothing more.
type writer struct {
	q   *db.Queries
	ctx context.Context
	err error
}

// spans are the date columns of rows that hold for a time.
type spans struct{ from, to, source []string }

func (s *spans) add(e Effective) {
	s.from, s.to, s.source = append(s.from, e.From.String()), append(s.to, e.end()), append(s.source, e.Source)
}

// end writes the end of the time, "" for none.
func (e Effective) end() string {
	if e.To.IsZero() {
		return ""
	}
	return e.To.String()
}

func (w *writer) do(n int, statement func() error) {
	if w.err == nil && n > 0 {
		w.err = statement()
	}
}

// places say where in its table a new row stands.
type places struct {
	posting   func(PostingRule) int64
	parameter func(Parameter) int64
	access    func(AccessRule) int64
	statement func(StatementLine) int64
}

// placeIn places rows as they stand in the table.
func placeIn[T comparable](table []T) func(T) int64 {
	place := map[T]int64{}
	for i, row := range table {
		place[row] = int64(i)
	}
	return func(row T) int64 { return place[row] }
}

func (w *writer) rows(m *mergedRows, profile string, at places) {
	w.regions(m.regions.insert, profile)
	w.funds(m.funds)
	w.subjects(m.subjects)
	w.postings(m.postings, at.posting)
	w.policy(m.policy, at.parameter)
	w.calendar(m.calendar.insert)
	w.codes(m.codes)
	w.access(m.access, at.access)
	w.statements(m.statements, at.statement)
}

func (w *writer) regions(insert []Region, profile string) {
	var p db.InsertRegionsParams
	for _, r := range insert {
		p.Codes, p.Names, p.Kinds = append(p.Codes, r.Code), append(p.Names, r.Name), append(p.Kinds, string(r.Kind))
	}
	w.do(len(insert), func() error { return w.q.InsertRegions(w.ctx, p) })
	b := db.InsertBooksParams{Profile: profile}
	for _, book := range Regions(insert).Books() {
		b.Books, b.Regions, b.Roles = append(b.Books, string(book)), append(b.Regions, book.Region()), append(b.Roles, string(book.Role()))
	}
	w.do(len(b.Books), func() error { return w.q.InsertBooks(w.ctx, b) })
}

func (w *writer) funds(m merged[Fund]) {
	var p db.InsertFundsParams
	var s spans
	for _, f := range m.insert {
		p.Codes, p.Names, p.Fields = append(p.Codes, f.Code), append(p.Names, f.Name), append(p.Fields, f.Field)
		s.add(f.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertFunds(w.ctx, p) })
	for _, f := range m.end {
		w.do(1, func() error {
			return w.q.EndFund(w.ctx, db.EndFundParams{ValidTo: f.end(), Code: f.Code, ValidFrom: f.From.String()})
		})
	}
}

func (w *writer) subjects(m merged[Subject]) {
	var p db.InsertSubjectsParams
	var s spans
	for _, x := range m.insert {
		p.Roles, p.Codes, p.Names = append(p.Roles, string(x.Role)), append(p.Codes, x.Code), append(p.Names, x.Name)
		p.Layers, p.Normals, p.Postable = append(p.Layers, string(x.Layer)), append(p.Normals, string(x.Normal)), append(p.Postable, x.Postable)
		p.Counterparties, p.Floors = append(p.Counterparties, x.Counterparty), append(p.Floors, x.Floor)
		p.GroupNames, p.ByCounterparty = append(p.GroupNames, x.Group), append(p.ByCounterparty, x.GroupByCounterparty)
		s.add(x.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertSubjects(w.ctx, p) })
	for _, x := range m.end {
		w.do(1, func() error {
			return w.q.EndSubject(w.ctx, db.EndSubjectParams{ValidTo: x.end(), Role: string(x.Role), Code: x.Code, ValidFrom: x.From.String()})
		})
	}
}

func (w *writer) postings(m merged[PostingRule], at func(PostingRule) int64) {
	var p db.InsertPostingRulesParams
	var s spans
	for _, x := range m.insert {
		p.Events, p.Steps, p.Titles = append(p.Events, x.Event), append(p.Steps, int64(x.Step)), append(p.Titles, x.Title)
		p.Regions, p.Roles, p.Sides, p.Red = append(p.Regions, x.Region), append(p.Roles, string(x.Role)), append(p.Sides, string(x.Side)), append(p.Red, x.Red)
		p.Subjects, p.Counterparties = append(p.Subjects, x.Subject), append(p.Counterparties, x.Counterparty)
		p.Amounts, p.Details, p.Positions = append(p.Amounts, x.Amount), append(p.Details, x.Detail), append(p.Positions, at(x))
		s.add(x.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertPostingRules(w.ctx, p) })
	for _, x := range m.end {
		w.do(1, func() error {
			return w.q.EndPostingRule(w.ctx, db.EndPostingRuleParams{ValidTo: x.end(), Event: x.Event, Step: int64(x.Step), ValidFrom: x.From.String()})
		})
	}
}

func (w *writer) policy(m merged[Parameter], at func(Parameter) int64) {
	var p db.InsertPolicyParams
	var s spans
	for _, x := range m.insert {
		p.Keys, p.Values, p.Units, p.Titles = append(p.Keys, x.Key), append(p.Values, x.Value), append(p.Units, x.Unit), append(p.Titles, x.Title)
		p.Positions = append(p.Positions, at(x))
		s.add(x.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertPolicy(w.ctx, p) })
	for _, x := range m.end {
		w.do(1, func() error {
			return w.q.EndParameter(w.ctx, db.EndParameterParams{ValidTo: x.end(), Key: x.Key, ValidFrom: x.From.String()})
		})
	}
}

func (w *writer) calendar(insert []CalendarDay) {
	var p db.InsertCalendarDaysParams
	for _, d := range insert {
		p.Days, p.Kinds = append(p.Days, d.Date.String()), append(p.Kinds, string(d.Kind))
		p.Names, p.Sources = append(p.Names, d.Name), append(p.Sources, d.Source)
	}
	w.do(len(insert), func() error { return w.q.InsertCalendarDays(w.ctx, p) })
}

func (w *writer) codes(m merged[Code]) {
	var p db.InsertCodesParams
	var s spans
	for _, c := range m.insert {
		p.Lists, p.Codes = append(p.Lists, string(c.List)), append(p.Codes, c.Code)
		p.Names, p.Expenses = append(p.Names, c.Name), append(p.Expenses, c.Expense)
		s.add(c.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertCodes(w.ctx, p) })
	for _, c := range m.end {
		w.do(1, func() error {
			return w.q.EndCode(w.ctx, db.EndCodeParams{ValidTo: c.end(), List: string(c.List), Code: c.Code, ValidFrom: c.From.String()})
		})
	}
}

func (w *writer) access(m merged[AccessRule], at func(AccessRule) int64) {
	var p db.InsertAccessRulesParams
	var s spans
	for _, x := range m.insert {
		p.Actions, p.Roles, p.Titles = append(p.Actions, x.Action), append(p.Roles, string(x.Roles)), append(p.Titles, x.Title)
		p.Positions = append(p.Positions, at(x))
		s.add(x.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertAccessRules(w.ctx, p) })
	for _, x := range m.end {
		w.do(1, func() error {
			return w.q.EndAccessRule(w.ctx, db.EndAccessRuleParams{ValidTo: x.end(), Action: x.Action, ValidFrom: x.From.String()})
		})
	}
}

func (w *writer) statements(m merged[StatementLine], at func(StatementLine) int64) {
	var p db.InsertStatementLinesParams
	var s spans
	for _, x := range m.insert {
		p.Statements, p.Roles, p.Funds = append(p.Statements, string(x.Statement)), append(p.Roles, string(x.Role)), append(p.Funds, x.Fund)
		p.Lines, p.Titles, p.Sections = append(p.Lines, x.Line), append(p.Titles, x.Title), append(p.Sections, string(x.Section))
		p.Subjects, p.Formulas = append(p.Subjects, x.Subjects), append(p.Formulas, x.Formula)
		p.Positions = append(p.Positions, at(x))
		s.add(x.Effective)
	}
	p.ValidFrom, p.ValidTo, p.Sources = s.from, s.to, s.source
	w.do(len(m.insert), func() error { return w.q.InsertStatementLines(w.ctx, p) })
	for _, x := range m.end {
		w.do(1, func() error {
			return w.q.EndStatementLine(w.ctx, db.EndStatementLineParams{
				ValidTo: x.end(), Statement: string(x.Statement), Role: string(x.Role), Fund: x.Fund, Line: x.Line, ValidFrom: x.From.String(),
			})
		})
	}
}
