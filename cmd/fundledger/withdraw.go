package main

import (
	"os"
	"path/filepath"
	"strings"

	"fundledger/internal/fault"
	"fundledger/settlement"
)

// importWithdrawalsCmd loads withdrawals of one side.
type importWithdrawalsCmd struct {
	Side string `required:"" enum:"treating,center,insured" help:"Whose file it is: treating, center or insured."`
	File string `arg:"" help:"The file: UTF-8, TAB separated, the columns named in the first line."`
}

// Help shows the format and what a withdrawal does.
func (c *importWithdrawalsCmd) Help() string {
	return "The columns: " + strings.Join(settlement.WithdrawalColumns(), ", ") + ". All lines are taken or none. " +
		"A record that is not posted counts no more until a later file brings it again; a posted settlement is taken back once all three sides have withdrawn it."
}

func (c *importWithdrawalsCmd) Run(app *app) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return fault.New(fault.NotFound, "%s cannot be read: %w", c.File, err)
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	report, err := s.settlements().Withdraw(app.ctx, settlement.Side(c.Side), filepath.Base(c.File), content)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	if report.AlreadyLoaded {
		app.printf("%s (%s): this file was loaded before, nothing changed\n", report.File, report.Side)
	}
	t := newTable("Settlement", "State", "Waits for", "Entry")
	for _, w := range report.Withdrawals {
		missing := make([]string, len(w.Missing))
		for i, side := range w.Missing {
			missing[i] = string(side)
		}
		entry := ""
		if w.Entry.Valid {
			entry = w.Entry.UUID.String()
		}
		t.row(w.SetlID, w.State, strings.Join(missing, ", "), entry)
	}
	t.print(app.out)
	app.printf("%d withdrawals\n", len(report.Withdrawals))
	return nil
}
