package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// sealCmd runs the sealer, catches up once, or shows how far it is.
type sealCmd struct {
	Once   bool   `help:"Seal and project what waits, then exit."`
	Status bool   `help:"Only print who leads and how far sealing is behind."`
	Name   string `help:"Name of this process among the sealers. Default: host and process number."`
}

// Help says what several of them do.
func (c *sealCmd) Help() string {
	return "Runs until it is interrupted; it then seals what waits and gives the lead up. " +
		"Of several on one database one leads, and another takes over within seconds when it is lost. " +
		"Other commands need no sealer: they catch up themselves before they read."
}

// sealReport is the status with what a monitor would have to compute.
type sealReport struct {
	*ledger.SealerStatus
	WaitingSeconds float64 `json:"waiting_seconds"` // of the oldest waiting batch
}

func (c *sealCmd) Run(app *app) error {
	if c.Once && c.Status {
		return fault.New(fault.Invalid, "give --once or --status, not both")
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if c.Once {
		if _, err := s.journal.CatchUp(app.ctx); err != nil {
			return err
		}
	}
	if c.Once || c.Status {
		status, err := s.journal.SealerStatus(app.ctx)
		if err != nil {
			return err
		}
		return app.printSealer(status)
	}
	name := c.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fault.New(fault.Invalid, "this host has no name: give --name: %w", err)
		}
		name = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	return s.journal.RunSealer(app.ctx, ledger.SealerOptions{Name: name, Log: app.log()})
}

// log writes to standard error, as JSON with --json.
func (a *app) log() *slog.Logger {
	if a.json {
		return slog.New(slog.NewJSONHandler(a.errOut, nil))
	}
	return slog.New(slog.NewTextHandler(a.errOut, nil))
}

func (a *app) printSealer(s *ledger.SealerStatus) error {
	if a.json {
		return a.printJSON(sealReport{s, s.Age().Seconds()})
	}
	if s.Leader == "" {
		a.printf("nobody leads\n")
	} else {
		a.printf("%s leads since %s, until %s unless renewed (term %d)\n", s.Leader, clock(s.Since), clock(s.Until), s.Term)
	}
	a.printf("%d batches with %d entries wait", s.WaitingBatches, s.WaitingEntries)
	if s.WaitingBatches > 0 {
		a.printf(", the oldest for %s", s.Age().Round(time.Millisecond))
	}
	a.printf("\nsealed to position %d, projected to %d\n", s.Sealed, s.Projected)
	return nil
}

// clock writes a time for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
