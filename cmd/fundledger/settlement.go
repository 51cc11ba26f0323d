package main

import (
	"fundledger/clearing"
	"fundledger/settlement"
)

// settlementCmd groups what can be asked of settlements.
type settlementCmd struct {
	Show settlementShowCmd `cmd:"" help:"Tell the whole story of one settlement."`
}

type settlementShowCmd struct {
	ID string `arg:"" help:"Settlement serial (setl_id)."`
}

func (c *settlementShowCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	story, _, err := s.clearing().Story(app.ctx, c.ID, 0)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(story)
	}
	printStory(app, story)
	return nil
}

func printStory(app *app, s *clearing.Story) {
	app.printf("settlement %s of %s is %s, %s is left\n", s.SetlID, s.Month, s.State, s.Remaining)
	sides := newTable("Side", "File", "Line", "Insured", "Treating", "Provider", "Settled", "Total", "Funds 基金", "Account 账户", "")
	sides.alignRight(3, 8, 9, 10)
	for _, side := range s.Sides {
		if c := side.Content; c != nil {
			sides.row(side.Side, side.File, side.Line, c.Insured, c.Treating, c.Provider, clock(c.Settled), c.Total, c.FundPay, c.Account, side.RejectedAs)
		} else {
			sides.row(side.Side, side.File, side.Line, "", "", "", "", "", "", "", side.RejectedAs+": "+side.Reason)
		}
	}
	sides.print(app.out)
	if e := s.Exception; e != nil {
		state := "open"
		if !e.Resolved.IsZero() {
			state = "resolved" + labelled(" by ", e.ResolvedBy)
		}
		app.printf("exception %s, %s: %s\n", e.Kind, state, e.Detail)
	}
	if w := s.Withdrawal; w != nil {
		for _, side := range w.Sides {
			app.printf("withdrawn by %s on %s: %s (%s)\n", side.Side, side.Date, side.Reason, side.Document)
		}
		app.printf("withdrawal %s\n", w.State)
	}
	entries := newTable("Entry", "Position", "Date", "Period", "Kind", "Summary 摘要")
	entries.alignRight(2)
	for _, e := range s.Entries {
		entries.row(e.ID, e.Position, e.Date, e.Period, e.Kind, e.Summary)
	}
	entries.print(app.out)
	for _, b := range s.BenefitYears {
		app.printf("benefit year 待遇年度 %d: fund %s%s %s\n", b.BenefitYear, b.Fund, labelled(" ", b.Part), b.Amount)
	}
	printStoryClearing(app, s.Clearing)
	for _, p := range s.ProviderPaid {
		app.printf("provider paid: fund %s%s %s\n", p.Fund, labelled(" ", p.Part), p.Amount)
	}
	for _, r := range s.RefundStories {
		entry := ""
		if r.Entry.Valid {
			entry = r.Entry.UUID.String()
		}
		app.printf("refund %s %s is %s%s%s%s\n", r.SetlID, r.Amount, r.State, labelled(" on ", dayText(r.Date)), labelled(", entry ", entry), labelled(", run ", r.Run))
	}
	for _, r := range s.Reductions {
		if r.Kind == settlement.Withdrawn {
			app.printf("taken back %s on %s%s\n", r.Amount, r.Date, labelled(", run ", r.Run))
		}
	}
	if len(s.Deductions) > 0 {
		printDeductions(app, s.Deductions)
	}
	for _, c := range s.Clawbacks {
		printCase(app, c)
	}
}

func printStoryClearing(app *app, c *clearing.ClearingStory) {
	if c == nil {
		app.printf("in no clearing run\n")
		return
	}
	app.printf("clearing run %s, notices of %s\n", c.Run, c.NoticeDate)
	printNotices(app, c.Notices)
	remitted := newTable("Remittance 拨付", "Notice", "Date", "Fund 险种", "Amount", "Entry")
	remitted.alignRight(5)
	for _, r := range c.Remittances {
		entry := ""
		if len(r.Entries) > 0 {
			entry = r.Entries[0].String()
		}
		for _, line := range r.Lines {
			remitted.row(r.Reference, r.Notice, r.Date, line.Fund, line.Amount, entry)
		}
	}
	remitted.print(app.out)
}
