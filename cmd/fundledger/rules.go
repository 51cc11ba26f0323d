package main

import (
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jedib0t/go-pretty/v6/text"

	"fundledger/accounts"
)

// rulesCmd prints the rules as an accountant reads them. Without a database it
// prints those of the profile.
type rulesCmd struct {
	Section string `arg:"" optional:"" enum:"postings,chart,policy,calendar,codes,access,statements,all" default:"all" help:"postings, chart, policy, calendar, codes, access, statements or all."`
	On      string `help:"Only the rows that hold on this date (YYYY-MM-DD). Default: all, past and future ones too."`
	Profile string `default:"jiangsu" help:"Rules to print when no database is given."`
}

// rulesReport is what --json prints; a section that was not asked is absent.
type rulesReport struct {
	Profile    string                   `json:"profile"`
	Postings   []accounts.PostingRule   `json:"postings,omitempty"`
	Funds      []accounts.Fund          `json:"funds,omitempty"`
	Chart      []accounts.Subject       `json:"chart,omitempty"`
	Policy     []accounts.Parameter     `json:"policy,omitempty"`
	Calendar   []accounts.CalendarDay   `json:"calendar,omitempty"`
	Codes      []accounts.Code          `json:"codes,omitempty"`
	Regions    accounts.Regions         `json:"regions,omitempty"`
	Access     []accounts.AccessRule    `json:"access,omitempty"`
	Statements []accounts.StatementLine `json:"statements,omitempty"`
}

func (c *rulesCmd) Run(app *app) error {
	on, err := optionalDate(c.On)
	if err != nil {
		return err
	}
	book, err := c.rules(app)
	if err != nil {
		return err
	}
	report := c.report(book, on)
	if app.json {
		return app.printJSON(report)
	}
	printRules(app, book, report)
	return nil
}

func (c *rulesCmd) rules(app *app) (*accounts.Rulebook, error) {
	if app.databaseURL == "" {
		return accounts.Profile(c.Profile)
	}
	s, err := app.open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.book, nil
}

func (c *rulesCmd) report(book *accounts.Rulebook, on civil.Date) rulesReport {
	r := rulesReport{Profile: book.Profile}
	asked := func(section string) bool { return c.Section == section || c.Section == "all" }
	if asked("postings") {
		r.Postings = holding(book.Postings.Rules(), on, func(p accounts.PostingRule) accounts.Effective { return p.Effective })
	}
	if asked("chart") {
		r.Funds = holding(book.Funds, on, func(f accounts.Fund) accounts.Effective { return f.Effective })
		r.Chart = holding(book.Chart.Subjects(), on, func(s accounts.Subject) accounts.Effective { return s.Effective })
	}
	if asked("policy") {
		r.Policy = holding(book.Policy, on, func(p accounts.Parameter) accounts.Effective { return p.Effective })
	}
	if asked("calendar") {
		r.Calendar = slices.DeleteFunc(slices.Clone(book.Calendar.Days()), func(d accounts.CalendarDay) bool {
			return !on.IsZero() && d.Date.Year != on.Year
		})
	}
	if asked("codes") {
		r.Codes = holding(book.Codes, on, func(c accounts.Code) accounts.Effective { return c.Effective })
		r.Regions = book.Regions
	}
	if asked("access") {
		r.Access = holding(book.Access, on, func(a accounts.AccessRule) accounts.Effective { return a.Effective })
	}
	if asked("statements") {
		r.Statements = holding(book.Statements, on, func(l accounts.StatementLine) accounts.Effective { return l.Effective })
	}
	return r
}

// holding keeps the rows that hold on the date, or all without a date.
func holding[T any](rows []T, on civil.Date, effective func(T) accounts.Effective) []T {
	return slices.DeleteFunc(slices.Clone(rows), func(row T) bool { return !on.IsZero() && !effective(row).On(on) })
}

func printRules(app *app, book *accounts.Rulebook, r rulesReport) {
	if r.Postings != nil {
		printPostingTable(app, book, r.Postings)
	}
	if r.Chart != nil {
		printChart(app, r)
	}
	if r.Policy != nil {
		app.printf("\nPolicy 参数\n\n")
		t := newTable("Key", "Value 值", "Unit", "Title", "Holds 执行", "Source 依据")
		t.alignRight(2)
		for _, p := range r.Policy {
			t.row(p.Key, p.Value, p.Unit, p.Title, span(p.Effective), p.Source)
		}
		t.print(app.out)
	}
	if r.Calendar != nil {
		printCalendar(app, r.Calendar)
	}
	if r.Codes != nil {
		printCodes(app, r)
	}
	if r.Access != nil {
		printAccess(app, r.Access)
	}
	if r.Statements != nil {
		printStatements(app, r.Statements)
	}
	app.printf("\nSources 依据\n")
	for _, c := range book.Codes {
		if c.List == accounts.SourceMark {
			app.printf("  %s  %s\n", c.Code, c.Name)
		}
	}
}

// span writes when a row holds; the end is the last day.
func span(e accounts.Effective) string {
	if e.To.IsZero() {
		return e.From.String() + " –"
	}
	return e.From.String() + " – " + e.To.AddDays(-1).String()
}

var entrySide = map[accounts.Side]string{accounts.Debit: "借 Dr", accounts.Credit: "贷 Cr"}

// printPostingTable prints one block an event: its debits, and its credits
// indented, in columns that align over the whole table.
func printPostingTable(app *app, book *accounts.Rulebook, rules []accounts.PostingRule) {
	app.printf("Posting table 记账规则\n\n")
	app.printf("I 参保地 insured city, T 就医地 treating city, P 省级 province, X 外省 other province, H the institution itself;\n")
	app.printf("(part) one line for each counterparty of the amount; 红字 red letter, negative;\n")
	app.printf("* with medical category, account part and benefit year. Refunds and deductions are the same lines, negative.\n")
	accountColumn := make([]string, len(rules))
	widest := 0
	for i, r := range rules {
		accountColumn[i] = postingLine(book, r)
		widest = max(widest, text.StringWidthWithoutEscSequences(accountColumn[i]))
	}
	for i, r := range rules {
		if i == 0 || rules[i-1].Event != r.Event {
			app.printf("\n%s  %s  [%s; %s]\n", r.Event, r.Title, r.Source, span(r.Effective))
		}
		app.printf("  %s  %s  %s\n", text.Pad(r.Region+" "+string(r.Role), len("T finance"), ' '), text.Pad(accountColumn[i], widest, ' '), r.Amount)
	}
}

func postingLine(book *accounts.Rulebook, r accounts.PostingRule) string {
	var line strings.Builder
	if r.Side == accounts.Credit {
		line.WriteString("    ")
	}
	code := r.Subject
	heading, byCategory := r.ByCategory()
	if byCategory {
		code = heading
	}
	name := ""
	if s, ok := book.Chart.Find(r.Role, code, r.From); ok {
		name = s.Name
	}
	if byCategory {
		code, name = heading+".xx", name+"（按医疗类别）"
	}
	fmt.Fprintf(&line, "%s %s %s", entrySide[r.Side], code, name)
	if r.Counterparty != "" {
		fmt.Fprintf(&line, " (%s)", r.Counterparty)
	}
	if r.Red {
		line.WriteString(" 红字")
	}
	if r.Detail {
		line.WriteString(" *")
	}
	return line.String()
}
