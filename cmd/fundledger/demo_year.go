package main

import (
	"os"

	"fundledger/internal/fault"
	"fundledger/internal/year"
)

// yearTables are the columns of the year table, as many beside each other as a
// screen takes.
var yearTables = []struct {
	title       string
	first, last year.Column
}{
	{"Settlements and clearing 结算与清算", year.Settled, year.PaidOut},
	{"Prepayments 预付金", year.Used, year.ToppedUp},
	{"Providers, clawbacks, patients, interest 机构、追回、零星报销、利息", year.Providers, year.Interest},
	{"Prepayments at the end of the month 月末预付金余额", year.PoolHeld, year.OfOthers},
}

// yearReport is what the demo of a year prints with --json.
type yearReport struct {
	Entries  int64      `json:"entries"`
	Late     []string   `json:"paid_late"`
	Waited   int        `json:"payments_that_waited"`
	Approved int        `json:"top_ups_approved"`
	Declined int        `json:"top_ups_declined"`
	Months   []year.Row `json:"months"`
	Total    year.Row   `json:"total"`
}

// runYear runs a fiscal year on the database, which must have no books yet, and
// prints its table.
func (c *demoCmd) runYear(app *app) error {
	quiet := *app
	quiet.out, quiet.json = app.errOut, false
	for _, step := range []demoStep{{command: &migrateCmd{}}, {command: &setupCmd{Profile: "jiangsu", OpenFrom: string(year.First)}}} {
		if err := step.command.Run(&quiet); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fault.New(fault.Unavailable, "the folder cannot be made: %w", err)
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	table, err := year.Run(app.ctx, s.db, s.journal, s.book, year.Options{Settlements: c.Settlements, Seed: c.Seed, Folder: c.Out,
		Log: func(line string) { quiet.printf("%s\n", line) }})
	if err != nil {
		return err
	}
	if untied := table.Untied(); len(untied) > 0 {
		return fault.New(fault.Internal, "%d figures of the year table do not tie to the journal, the first: %s", len(untied), untied[0])
	}
	if app.json {
		return app.printJSON(yearReport{table.Entries, table.Late, table.Waited, table.Approved, table.Declined, table.Journal, table.Total()})
	}
	printYear(app, table)
	return nil
}

func printYear(app *app, table *year.Table) {
	rows := append(table.Journal, table.Total())
	for _, part := range yearTables {
		app.printf("\n%s\n", part.title)
		header, right := []any{"Month 月份"}, []int{}
		for column := part.first; column <= part.last; column++ {
			header, right = append(header, column.String()), append(right, len(header)+1)
		}
		t := newTable(header...)
		t.alignRight(right...)
		for _, row := range rows {
			name := string(row.Month)
			if name == "" {
				name = "Total 合计"
			}
			cells := []any{name}
			for column := part.first; column <= part.last; column++ {
				cells = append(cells, row.Figures[column])
			}
			t.row(cells...)
		}
		t.print(app.out)
	}
	app.printf("\n%d entries; %d notices were paid late, %d payments waited for money; %d top-ups were approved, %d declined.\n",
		table.Entries, len(table.Late), table.Waited, table.Approved, table.Declined)
	app.printf("Every figure is computed from the lines of the journal and equals what the reports say. The journal was signed,\nverified and checked after every month, and its bundle proved without the database.\n")
}
