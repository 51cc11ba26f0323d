package main

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	banking "fundledger/clearing/bank"
	"fundledger/internal/fault"
)

type bankMatchCmd struct {
	bankDay
	By         string   `required:"" help:"Who does it."`
	Suggestion string   `help:"Confirm this suggestion; see fundledger bank suggestions."`
	Serial     []string `sep:"none" help:"By hand: a line of a statement, by its serial number; repeat for more."`
	Posting    []string `sep:"none" help:"By hand: a line of the books, as ENTRY.LINE; repeat for more."`
}

func (c *bankMatchCmd) Run(app *app) error {
	request := banking.MatchRequest{By: c.By, Account: c.Account}
	var err error
	if request.Day, err = c.day(); err != nil {
		return err
	}
	postings := make([]banking.PostingID, len(c.Posting))
	for i, name := range c.Posting {
		if postings[i], err = banking.ParsePostingID(name); err != nil {
			return err
		}
	}
	byHand := len(c.Serial)+len(postings) > 0
	if byHand && c.Suggestion != "" {
		return fault.New(fault.Invalid, "give a --suggestion, or lines by --serial and --posting, not both")
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	var done *banking.Matched
	switch {
	case byHand:
		done, err = s.bank().MatchByHand(app.ctx, request, c.Serial, postings)
	case c.Suggestion != "":
		done, err = s.bank().Confirm(app.ctx, request, c.Suggestion)
	default:
		done, err = s.bank().MatchAutomatically(app.ctx, request)
	}
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(done)
	}
	printMatches(app, done.Matches)
	return nil
}

func printMatches(app *app, matches []banking.Match) {
	t := newTable("Match 勾对", "Rule 规则", "Amount 金额", "Statement 流水号", "Books 分录", "By", "On", "Undone 撤销")
	t.alignRight(3)
	for _, m := range matches {
		var postings []string
		for _, p := range m.Postings {
			postings = append(postings, p.String())
		}
		undone := ""
		if m.Undone != nil {
			undone = fmt.Sprintf("%s %s: %s", m.Undone.On, m.Undone.By, m.Undone.Reason)
		}
		t.row(m.ID, m.Rule, m.Amount, strings.Join(m.Serials, "\n"), strings.Join(postings, "\n"), m.By, m.On, undone)
	}
	t.print(app.out)
	app.printf("%d matches\n", len(matches))
}

type bankSuggestionsCmd struct{ bankDay }

func (c *bankSuggestionsCmd) Run(app *app) error {
	day, err := c.day()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, _, err := s.bank().Suggestions(app.ctx, c.Account, day, 0)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(append([]banking.Proposal{}, list...))
	}
	t := newTable("Suggestion", "Rule 规则", "Side", "Date", "Amount 金额", "Line", "Text 摘要")
	t.alignRight(5)
	for _, p := range list {
		for _, l := range p.Lines {
			t.row(p.Name, p.Rule.Name, "statement", l.Date, l.Signed(), l.Serial, l.Remark)
		}
		for _, b := range p.Books {
			t.row(p.Name, p.Rule.Name, "books", b.Date, b.Amount, b.PostingID, b.Summary)
		}
	}
	t.print(app.out)
	app.printf("%d suggestions: confirm one by fundledger bank match --suggestion\n", len(list))
	return nil
}

type bankMatchesCmd struct {
	Account string `arg:"" help:"Number of the bank account."`
}

func (c *bankMatchesCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.bank().BooksOf(app.ctx, c.Account); err != nil {
		return err
	}
	list, err := s.bank().Matches(app.ctx, c.Account)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	printMatches(app, list)
	return nil
}

type bankUndoCmd struct {
	Match  string `arg:"" help:"Id of the match."`
	By     string `required:"" help:"Who undoes it."`
	On     string `required:"" help:"When (YYYY-MM-DD)."`
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c *bankUndoCmd) Run(app *app) error {
	id, err := uuid.Parse(c.Match)
	if err != nil {
		return fault.New(fault.Invalid, "%q is no id of a match", c.Match)
	}
	on, err := accounts.ParseDate(c.On)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	m, _, err := s.bank().Undo(app.ctx, "", id, c.By, on, c.Reason)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(m)
	}
	printMatches(app, []banking.Match{*m})
	return nil
}
