package main

import (
	"fundledger/accounts"
	"fundledger/clearing"
)

// reportQuotasCmd prints the yearly prepayment quotas. It needs no database:
// without one it takes the rules of the profile.
type reportQuotasCmd struct {
	Year    int    `arg:"" help:"The year of the quotas."`
	Bases   string `required:"" placeholder:"FILE" help:"Last year's figures, TAB separated."`
	Profile string `default:"jiangsu" help:"Rules to use when no database is given."`
}

func (c *reportQuotasCmd) Run(app *app) error {
	book, err := c.rules(app)
	if err != nil {
		return err
	}
	bases, err := openBases(book, c.Year, c.Bases)
	if err != nil {
		return err
	}
	quotas, err := bases.Quotas(book)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(quotas)
	}
	printQuotas(app, quotas)
	return nil
}

func (c *reportQuotasCmd) rules(app *app) (*accounts.Rulebook, error) {
	if app.databaseURL == "" {
		return accounts.Profile(c.Profile)
	}
	s, err := app.open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.book, nil
}

func printQuotas(app *app, quotas *clearing.Quotas) {
	t := newTable("City 统筹地区", "Fund 险种", "In-province quota 省内预付金额度")
	t.alignRight(3)
	for _, city := range quotas.InProvince {
		for _, fund := range city.Value {
			t.row(city.Key, fund.Key, fund.Value)
		}
	}
	t.print(app.out)
	t = newTable("Province 省份", "Fund 险种", "Cross-province quota 跨省预付金额度", "City 统筹地区", "Share 分摊")
	t.alignRight(3, 5)
	for _, province := range quotas.CrossProvince {
		for _, fund := range province.Value {
			t.row(province.Key, fund.Key, fund.Value.Total, "", "")
			for _, city := range fund.Value.Cities {
				t.row("", "", "", city.Key, city.Value)
			}
		}
	}
	t.print(app.out)
}
