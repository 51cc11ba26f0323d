package main

import (
	"path/filepath"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/export"
)

// clearCmd freezes the runs of a service month and writes their tables and notices.
type clearCmd struct {
	Month      string `required:"" help:"Service month (YYYY-MM)."`
	NoticeDate string `help:"Date of the notices (YYYY-MM-DD). Default: the 28th of the next month."`
	Out        string `help:"Directory for the tables and notices. Default: out/MONTH." placeholder:"DIR"`
}

type clearReport struct {
	Month     accounts.Month       `json:"month"`
	Documents []clearing.Documents `json:"runs"`
	Directory string               `json:"directory"`
	Files     int                  `json:"files"`
	// Utilisation of our prepayments; those at red have opened a top-up case.
	Utilisation []prepayment.Utilisation `json:"utilisation"`
}

func (c *clearCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	date, err := optionalDate(c.NoticeDate)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	report, err := s.clear(app, month, date, c.Out)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	printClearing(app, report)
	return nil
}

// clear freezes the runs and writes their documents.
func (s *session) clear(app *app, month accounts.Month, noticeDate civil.Date, directory string) (*clearReport, error) {
	if directory == "" {
		directory = filepath.Join("out", string(month))
	}
	office := s.clearing()
	if _, err := office.Clear(app.ctx, month, noticeDate); err != nil {
		return nil, err
	}
	utilisation, err := s.prepayments().Watch(app.ctx, month)
	if err != nil {
		return nil, err
	}
	documents, err := office.Documents(app.ctx, month)
	if err != nil {
		return nil, err
	}
	files, err := export.WriteDocuments(directory, documents, s.book)
	if err != nil {
		return nil, err
	}
	return &clearReport{Month: month, Documents: documents, Directory: directory, Files: len(files), Utilisation: utilisation}, nil
}

func (s *session) clearing() *clearing.Clearing { return clearing.New(s.db, s.journal, s.book) }

func printClearing(app *app, report *clearReport) {
	for _, d := range report.Documents {
		app.printf("run %s: %s, notices of %s: %d\n", d.Run.ID, d.Run.State, d.Run.NoticeDate, len(d.Notices))
		if d.Balance != nil && len(d.Balance.Rows) > 0 {
			t := newTable("City 统筹地区", "Fund 险种", "Payable 应付", "Receivable 应收", "Net 差额", "")
			t.alignRight(3, 4, 5)
			for _, r := range d.Balance.Rows {
				way := "平"
				switch {
				case r.Net > 0:
					way = "差出 pays"
				case r.Net < 0:
					way = "差进 gets"
				}
				t.row(r.City+" "+r.CityName, r.Fund+" "+r.FundName, r.Payable, r.Receivable, r.Net, way)
			}
			for _, r := range d.Balance.Funds {
				t.row("total 小计", r.Fund+" "+r.FundName, r.Payable, r.Receivable, r.Net, "")
			}
			t.print(app.out)
		}
		overdue := 0
		for _, r := range d.Carried.Records {
			if r.Overdue {
				overdue++
			}
		}
		if n := len(d.Carried.Records); n > 0 {
			app.printf("  carried over from earlier months: %d records, %d of them overdue\n", n, overdue)
		}
	}
	for _, u := range report.Utilisation {
		if u.Level() == prepayment.Red {
			app.printf("prepayment at %s: red, %s cleared of %s held; top-up case %s\n", u.ProvinceName, u.Total.Cleared, u.Total.Held, u.TopUp)
		}
	}
	app.printf("%d files in %s\n", report.Files, report.Directory)
}
