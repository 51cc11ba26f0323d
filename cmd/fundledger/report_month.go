package main

import (
	"fundledger/accounts"
	"fundledger/settlement"
)

// reportMonthCmd prints what a service month came to.
type reportMonthCmd struct {
	Month string `arg:"" help:"Service month (YYYY-MM)."`
}

func (c *reportMonthCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	report, err := s.settlements().MonthReport(app.ctx, month)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	printMonth(app, report)
	return nil
}

func printMonth(app *app, r *settlement.MonthReport) {
	app.printf("%s: %d settlements, %d records agree on all three sides, %s\n", r.Month, r.Records, r.MatchedRecords, r.MatchedAmount)
	app.printf("exceptions: %s\n", countsByKind(r.Exceptions))
	if r.TakenBack > 0 {
		app.printf("taken back beside these, by deductions, clawbacks and withdrawals: %d records, %s\n", r.TakenBack, r.TakenBackAmount)
	}
	for _, table := range []struct {
		title string
		pairs []settlement.PairAmount
	}{
		{"In-province 省内", r.InProvince},
		{"Cross-province, our patients 跨省（参保）", r.CrossProvinceOut},
		{"Cross-province, patients of others 跨省（就医）", r.CrossProvinceIn},
	} {
		app.printf("\n%s\n", table.title)
		t := newTable("Insured 参保地", "Treating 就医地", "Fund 险种", "Records", "Amount 金额")
		t.alignRight(4, 5)
		for _, p := range table.pairs {
			t.row(p.Insured, p.Treating, p.Fund, p.Count, p.Amount)
		}
		t.print(app.out)
	}
	app.printf("\nIn-province net 差额\n")
	t := newTable("City 统筹地区", "Fund 险种", "Payable 应付", "Receivable 应收", "Net 差额")
	t.alignRight(3, 4, 5)
	for _, c := range r.InProvinceNet {
		t.row(c.City, c.Fund, c.Payable, c.Receivable, c.Net)
	}
	t.print(app.out)
}
