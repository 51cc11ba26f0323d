package main

// reportBenefitYearsCmd prints what was accepted for a benefit year.
type reportBenefitYearsCmd struct {
	Year   int    `arg:"" help:"The benefit year."`
	Region string `help:"Insured region; all if not given."`
}

func (c *reportBenefitYearsCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	totals, _, err := s.settlements().BenefitYears(app.ctx, c.Year, c.Region, nil, 0)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(totals)
	}
	t := newTable("Insured 参保地", "Fund 险种", "Benefit year 待遇年度", "Settled in 结算年度", "Amount 金额")
	t.alignRight(5)
	for _, r := range totals {
		t.row(r.Insured, r.Fund, r.BenefitYear, r.SettledIn, r.Amount)
	}
	t.print(app.out)
	return nil
}
