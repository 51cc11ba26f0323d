package main

import (
	"fundledger/settlement"
)

// lateCmd lists settlements that no run has taken in time.
type lateCmd struct {
	AsOf    string `required:"" help:"Day as of which limits have passed (YYYY-MM-DD)."`
	Region  string `help:"Insured or treating region."`
	Overdue bool   `help:"Only those past the longest deferral or the first quarter of the next year."`
}

func (c *lateCmd) Run(app *app) error {
	query := settlement.LateQuery{Region: c.Region, Overdue: c.Overdue, PageSize: 1000}
	if err := dates(c.AsOf, &query.AsOf); err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	all := []settlement.LateRecord{}
	for {
		page, err := s.settlements().LateRecords(app.ctx, query)
		if err != nil {
			return err
		}
		all = append(all, page.Records...)
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if app.json {
		return app.printJSON(all)
	}
	t := newTable("Settlement", "Month", "Kind", "Insured 参保地", "Treating 就医地", "Late 逾期", "Cut-off 截止", "Deferral 延期上限", "Year 年度上限")
	for _, r := range all {
		t.row(r.SetlID, string(r.Month), r.Kind, r.Insured, r.Treating, string(r.Lateness), r.CutOff, r.Deferral, r.YearEnd)
	}
	t.print(app.out)
	app.printf("%d records\n", len(all))
	return nil
}
