package main

import (
	"os"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/export"
	"fundledger/internal/fault"
)

// prepaymentCmd groups the life of prepayments (预付金).
type prepaymentCmd struct {
	Plan        prepaymentPlanCmd        `cmd:"" help:"Freeze the quotas of a year with their notices, or show a plan."`
	Notices     prepaymentNoticesCmd     `cmd:"" help:"List notices of quotas and top-ups, what is open on them, and who is late."`
	Move        prepaymentMoveCmd        `cmd:"" help:"Record that prepayment money moved, on a notice or from another province."`
	Utilisation prepaymentUtilisationCmd `cmd:"" help:"Show how far our prepayments are used (使用率); opens top-up cases at red."`
	Topup       prepaymentTopUpCmd       `cmd:"" name:"topup" help:"Emergency top-ups (紧急调增): list, propose, approve, notify, decline."`
	National    prepaymentNationalCmd    `cmd:"" help:"Import, compare and accept the figures of the national platform."`
	Interest    prepaymentInterestCmd    `cmd:"" help:"Post interest to the side that holds the account."`
	Fee         prepaymentFeeCmd         `cmd:"" help:"Say what a bank fee may be charged to: never to a fund."`
	Show        prepaymentShowCmd        `cmd:"" help:"Show the prepayments of a year per city and per province, with the entries of every figure."`
}

func (s *session) prepayments() *prepayment.Prepayments {
	return prepayment.New(s.db, s.journal, s.book)
}

// fundAmounts are amounts by fund, as several commands take them.
type fundAmounts struct {
	Fund   []string `sep:"none" help:"A fund; repeat, with an --amount each."`
	Amount []string `sep:"none" help:"The amount in the fund, in yuan."`
}

func (f *fundAmounts) lines() ([]clearing.Line, error) {
	return (&remitCmd{Fund: f.Fund, Amount: f.Amount}).lines()
}

// prepaymentPlanCmd makes the plan of a year.
type prepaymentPlanCmd struct {
	Year       int    `arg:"" help:"The year of the quotas."`
	Scheme     string `default:"both" enum:"both,in-province,cross-province" help:"both, in-province or cross-province."`
	Bases      string `placeholder:"FILE" help:"Last year's figures, TAB separated; a cross-check where the journal has last year itself."`
	NoticeDate string `help:"Date of the notices (YYYY-MM-DD). Default: the first working day of the month for them."`
	By         string `help:"Who makes the plan. Without it a plan that was made is shown."`
	DryRun     bool   `help:"Work the plan out and keep nothing."`
	Out        string `placeholder:"DIR" help:"Directory for the detail tables (annexes 2, 4) and notices (3, 5) as XLSX and JSON."`
}

func (c *prepaymentPlanCmd) Run(app *app) error {
	date, err := optionalDate(c.NoticeDate)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	var file *clearing.Bases
	if c.Bases != "" {
		if file, err = openBases(s.book, c.Year, c.Bases); err != nil {
			return err
		}
	}
	plans := []*prepayment.Plan{}
	for _, scheme := range prepayment.Schemes() {
		if c.Scheme != "both" && c.Scheme != string(scheme) {
			continue
		}
		plan, err := c.plan(app, s, scheme, date, file)
		if err != nil {
			return err
		}
		if c.Out != "" && !c.DryRun {
			if _, err := export.WritePlan(c.Out, plan, s.book); err != nil {
				return err
			}
		}
		plans = append(plans, plan)
	}
	if app.json {
		return app.printJSON(plans)
	}
	for _, plan := range plans {
		printPlan(app, plan)
	}
	return nil
}

func (c *prepaymentPlanCmd) plan(app *app, s *session, scheme prepayment.Scheme, date civil.Date, file *clearing.Bases) (*prepayment.Plan, error) {
	if c.By == "" && !c.DryRun {
		return s.prepayments().Plan(app.ctx, c.Year, scheme, nil)
	}
	by := c.By
	if by == "" {
		by = "nobody" // a dry run keeps nothing
	}
	return s.prepayments().MakePlan(app.ctx, prepayment.PlanRequest{Year: c.Year, Scheme: scheme, Issued: date, File: file, By: by, ValidateOnly: c.DryRun})
}

func openBases(book *accounts.Rulebook, year int, name string) (*clearing.Bases, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "the prepayment bases cannot be opened: %w", err)
	}
	defer file.Close()
	return clearing.ReadBases(book, year, name, file)
}

func printPlan(app *app, plan *prepayment.Plan) {
	state := ""
	if plan.Replayed {
		state = " (made before)"
	}
	app.printf("plan %s: notices of %s, bases of %s, by %s%s\n", plan.ID, plan.Issued, plan.Source, plan.By, state)
	if len(plan.Differences) > 0 {
		t := newTable("Basis", "Fund 险种", "Party", "Period", "Journal", "File")
		t.alignRight(5, 6)
		for _, d := range plan.Differences {
			t.row(d.Basis, d.Fund, d.Party, d.Period, d.Amount, d.Other)
		}
		t.print(app.out)
		app.printf("%d figures of the file differ from the journal, which was taken\n", len(plan.Differences))
	}
	printDifferences(app, plan.National)
	t := newTable("Province 省份", "Fund 险种", "City 统筹地区", "Quota 额度")
	t.alignRight(4)
	for _, q := range plan.Quotas {
		if q.Amount != 0 {
			t.row(q.Province, q.Fund, q.City, q.Amount)
		}
	}
	t.print(app.out)
	t = newTable("Party", "Fund 险种", "Quota 额度", "Held 结转余额", "Adjustment 调整额")
	t.alignRight(3, 4, 5)
	for _, at := range plan.Positions {
		if at.Quota != 0 || at.Held != 0 {
			t.row(at.PartyName, at.Fund, at.Quota, at.Held, at.Adjustment)
		}
	}
	t.print(app.out)
	printPrepaymentNotices(app, plan.Notices)
}

// prepaymentNoticesCmd lists notices.
type prepaymentNoticesCmd struct {
	Year   int    `help:"Only those of this year."`
	Origin string `help:"Only those of this plan or top-up, such as 2025/in-province."`
	Party  string `help:"Only those of this city or other province."`
	Open   bool   `help:"Only those on which something is open."`
	LateOn string `help:"Only those that are late on this day (YYYY-MM-DD)."`
}

func (c *prepaymentNoticesCmd) Run(app *app) error {
	late, err := optionalDate(c.LateOn)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	notices, err := s.prepayments().Notices(app.ctx, prepayment.NoticeQuery{Year: c.Year, Origin: c.Origin, Party: c.Party, OpenOnly: c.Open, LateOn: late})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(notices)
	}
	printPrepaymentNotices(app, notices)
	return nil
}

func printPrepaymentNotices(app *app, notices []prepayment.Notice) {
	t := newTable("Notice 通知书", "Party", "Issued", "Due 期限", "Fund 险种", "Amount 金额", "Open 未付")
	t.alignRight(6, 7)
	for _, n := range notices {
		due := "promptly 及时"
		if !n.Due.IsZero() {
			due = n.Due.String()
		}
		if n.Superseded != "" {
			due = "set off in " + n.Superseded
		}
		for _, line := range n.Lines {
			t.row(n.ID, n.PartyName, n.Issued, due, line.Fund, line.Amount, line.Open)
		}
	}
	t.print(app.out)
	app.printf("%d notices\n", len(notices))
}

// prepaymentMoveCmd records money that moved.
type prepaymentMoveCmd struct {
	Notice string `arg:"" optional:"" help:"The notice, such as 2025/in-province/320100/pay; see fundledger prepayment notices."`
	fundAmounts
	Province  string `help:"Without a NOTICE: the other province whose prepayment here moves."`
	Direction string `default:"" enum:",pay,receive" help:"Without a NOTICE: pay (it prepays us) or receive (it gets it back)."`
	Document  string `help:"Without a NOTICE: the document that it moves by."`
	Date      string `required:"" help:"Date on which the money moved (YYYY-MM-DD)."`
	Reference string `required:"" help:"Reference of the bank's voucher; the same reference is recorded once."`
	By        string `required:"" help:"Who records it."`
}

func (c *prepaymentMoveCmd) Run(app *app) error {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	lines, err := c.lines()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	moved, err := s.prepayments().Record(app.ctx, prepayment.Move{Notice: c.Notice, Lines: lines, Date: date, Reference: c.Reference, By: c.By,
		Province: c.Province, Direction: clearing.Direction(c.Direction), Document: c.Document})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(moved)
	}
	note := ""
	if moved.Replayed {
		note = " (recorded before)"
	}
	for _, line := range moved.Lines {
		app.printf("%s, fund %s: %s on %s, entry %s%s\n", moved.Event, line.Fund, line.Amount, moved.Date, moved.Entry, note)
	}
	return nil
}
