package main

import (
	"fundledger/internal/postgres"
)

// migrateCmd creates the schema or brings it up to date.
type migrateCmd struct {
	Status bool `help:"Only list the migrations and which are applied."`
}

type migrateReport struct {
	Applied    int                  `json:"applied"` // by this run
	Migrations []postgres.Migration `json:"migrations"`
}

func (c *migrateCmd) Run(app *app) error {
	url, err := app.requireURL()
	if err != nil {
		return err
	}
	before, err := postgres.Status(app.ctx, url)
	if err != nil {
		return err
	}
	report := migrateReport{Migrations: before}
	if !c.Status {
		if err := postgres.Migrate(app.ctx, url); err != nil {
			return err
		}
		if report.Migrations, err = postgres.Status(app.ctx, url); err != nil {
			return err
		}
		report.Applied = pending(before) - pending(report.Migrations)
	}
	if app.json {
		return app.printJSON(report)
	}
	if c.Status {
		for _, m := range report.Migrations {
			state := "pending"
			if m.Applied {
				state = "applied " + m.AppliedAt.UTC().Format("2006-01-02 15:04:05Z")
			}
			app.printf("%-32s %s\n", m.Name, state)
		}
		return nil
	}
	app.printf("%d migrations applied, the schema is at %d of %d\n",
		report.Applied, len(report.Migrations)-pending(report.Migrations), len(report.Migrations))
	return nil
}

func pending(migrations []postgres.Migration) int {
	n := 0
	for _, m := range migrations {
		if !m.Applied {
			n++
		}
	}
	return n
}
