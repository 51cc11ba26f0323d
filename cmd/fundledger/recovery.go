package main

import (
	"os"
	"path/filepath"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// recoveryCmd groups deductions and clawbacks.
type recoveryCmd struct {
	Deduct   recoveryDeductCmd  `cmd:"" help:"Deduct (审核扣款) what providers have not been paid; what they have been is clawed back."`
	Open     recoveryOpenCmd    `cmd:"" help:"Open clawbacks (追回) of what providers were paid."`
	Approve  recoveryApproveCmd `cmd:"" help:"Approve a clawback, by another person than who opened it."`
	Decline  recoveryDeclineCmd `cmd:"" help:"Decline a clawback, by another person than who opened it."`
	Cancel   recoveryCancelCmd  `cmd:"" help:"Give a clawback up on which no money has come."`
	Receive  recoveryReceiveCmd `cmd:"" help:"Money came back from the provider."`
	Deposit  recoveryDepositCmd `cmd:"" help:"It was paid into the fiscal account (财政专户) of the treating city."`
	Send     recoverySendCmd    `cmd:"" help:"The treating city sent it to the province."`
	Arrive   recoveryArriveCmd  `cmd:"" help:"Another province sent it to ours."`
	Home     recoveryHomeCmd    `cmd:"" help:"The province returned it to the insured region."`
	Penalty  recoveryPenaltyCmd `cmd:"" help:"Note a contract penalty (违约金) or fine; it is posted nowhere."`
	List     recoveryListCmd    `cmd:"" help:"List clawbacks and where their money stands."`
	Show     recoveryShowCmd    `cmd:"" help:"Show one clawback with its steps."`
	Deducted recoveryDedListCmd `cmd:"" name:"deductions" help:"List deductions."`
}

func (s *session) recovery() *recovery.Recovery {
	return recovery.New(s.db, s.journal, s.book, provider.PaidOf, s.clearing())
}

// linesArg are lines of a list, or one line.
type linesArg struct {
	List       string `arg:"" optional:"" name:"list" help:"A list: UTF-8, TAB separated, the columns named in the first line."`
	Settlement string `help:"Instead of a list: one settlement."`
	Part       string `default:"hifp_pay" help:"Its part, a field of the settlement file: hifp_pay, acct_pay, cvlserv_pay, …"`
	Amount     string `help:"What is taken back of the part, in yuan."`
	Reason     string `help:"Why."`
	Document   string `help:"Number of the decision. It decides once on a settlement."`
	Date       string `required:"" help:"Date of the decision (YYYY-MM-DD)."`
	By         string `required:"" help:"Who enters it."`
}

const listHelp = "The columns of a list: setl_id, part, amount, reason, document; amounts in yuan. All its lines are taken or none, and each bad one is shown as file:line:field:reason. " +
	"Document and settlement name the deduction or the clawback, as DOCUMENT/SETTLEMENT; the same lines again change nothing."

func (a *linesArg) decision(mode string) (d recovery.Decision, err error) {
	d = recovery.Decision{By: a.By, Mode: recovery.Mode(mode)}
	if d.Date, err = accounts.ParseDate(a.Date); err != nil {
		return d, err
	}
	one := a.Settlement != "" || a.Amount != "" || a.Reason != "" || a.Document != ""
	switch {
	case (a.List == "") == !one:
		return d, fault.New(fault.Invalid, "give a LIST, or one line by --settlement, --amount, --reason and --document")
	case one:
		line := recovery.Line{SetlID: a.Settlement, Part: a.Part, Reason: a.Reason, Document: a.Document}
		line.Amount, err = accounts.ParseYuan(a.Amount)
		d.Lines = []recovery.Line{line}
		return d, err
	}
	file, err := os.Open(a.List)
	if err != nil {
		return d, fault.New(fault.NotFound, "%s cannot be opened: %w", a.List, err)
	}
	defer file.Close()
	d.Lines, err = recovery.ReadList(filepath.Base(a.List), file)
	return d, err
}

type recoveryDeductCmd struct {
	linesArg
	Mode string `enum:",offset,remit" default:"" help:"How clawbacks of what was paid are returned: offset (the default) or remit."`
}

func (c *recoveryDeductCmd) Help() string { return listHelp }

func (c *recoveryDeductCmd) Run(app *app) error {
	d, err := c.decision(c.Mode)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	made, err := s.recovery().Deduct(app.ctx, d)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(made)
	}
	printDeductions(app, made)
	return nil
}

func printDeductions(app *app, list []recovery.Deduction) {
	t := newTable("Deduction 扣款", "Treating", "Insured", "Date", "Asked", "Deducted", "Clawback 追回", "Run", "")
	t.alignRight(5, 6)
	for _, d := range list {
		note := ""
		if d.Replayed {
			note = "recorded before"
		}
		t.row(d.ID, d.Treating, d.Insured, d.Date, d.Asked, d.Deducted, d.Case, d.Run, note)
	}
	t.print(app.out)
	app.printf("%d deductions\n", len(list))
}

type recoveryOpenCmd struct {
	linesArg
	Mode string `enum:",offset,remit,inbound" default:"" help:"How the money returns: offset in the next clearing (the default), remit by the original channel; inbound where another province treated."`
}

func (c *recoveryOpenCmd) Help() string { return listHelp }

func (c *recoveryOpenCmd) Run(app *app) error {
	d, err := c.decision(c.Mode)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	cases, err := s.recovery().OpenClawbacks(app.ctx, d)
	if err != nil {
		return err
	}
	return app.printCases(cases, "")
}

// rulingArg is a decision on a case.
type rulingArg struct {
	Case     string `arg:"" help:"The clawback, DOCUMENT/SETTLEMENT."`
	Date     string `required:"" help:"Date of the decision (YYYY-MM-DD)."`
	By       string `required:"" help:"Who decides."`
	Document string `help:"Number of the document."`
}

func (a *rulingArg) run(app *app, reason string, rule func(*recovery.Recovery, recovery.Ruling) (*recovery.Case, error)) error {
	date, err := accounts.ParseDate(a.Date)
	if err != nil {
		return err
	}
	return app.onCase(func(r *recovery.Recovery) (*recovery.Case, error) {
		return rule(r, recovery.Ruling{Case: a.Case, Date: date, By: a.By, Document: a.Document, Reason: reason})
	})
}

// onCase prints the case that a step leaves.
func (a *app) onCase(step func(*recovery.Recovery) (*recovery.Case, error)) error {
	s, err := a.open()
	if err != nil {
		return err
	}
	defer s.close()
	c, err := step(s.recovery())
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(c)
	}
	printCase(a, c)
	return nil
}

type recoveryApproveCmd struct{ rulingArg }

func (c *recoveryApproveCmd) Run(app *app) error {
	return c.run(app, "", func(r *recovery.Recovery, ruling recovery.Ruling) (*recovery.Case, error) {
		return r.Approve(app.ctx, ruling)
	})
}

type recoveryDeclineCmd struct {
	rulingArg
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c *recoveryDeclineCmd) Run(app *app) error {
	return c.run(app, c.Reason, func(r *recovery.Recovery, ruling recovery.Ruling) (*recovery.Case, error) {
		return r.Decline(app.ctx, ruling)
	})
}

type recoveryCancelCmd struct {
	rulingArg
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c *recoveryCancelCmd) Run(app *app) error {
	return c.run(app, c.Reason, func(r *recovery.Recovery, ruling recovery.Ruling) (*recovery.Case, error) {
		return r.Cancel(app.ctx, ruling)
	})
}

// movementArg says that money moved.
type movementArg struct {
	Case      string   `arg:"" help:"The clawback, DOCUMENT/SETTLEMENT."`
	Amount    []string `sep:"none" placeholder:"PART=AMOUNT" help:"Only this of a part, such as hifp_pay=10.00; repeat. Default: all that can move."`
	Date      string   `required:"" help:"Date on which the money moved (YYYY-MM-DD)."`
	By        string   `required:"" help:"Who records it."`
	Reference string   `required:"" help:"Reference of the bank's voucher; the same reference is recorded once."`
}

func (a *movementArg) run(app *app, station recovery.Station) error {
	m := recovery.Movement{Case: a.Case, Station: station, By: a.By, Reference: a.Reference}
	var err error
	if m.Date, err = accounts.ParseDate(a.Date); err != nil {
		return err
	}
	for _, text := range a.Amount {
		part, amount, ok := strings.Cut(text, "=")
		if !ok {
			return fault.New(fault.Invalid, "--amount %s: write PART=AMOUNT, such as hifp_pay=10.00", text)
		}
		moved := recovery.Amount{Part: part}
		if moved.Amount, err = accounts.ParseYuan(amount); err != nil {
			return err
		}
		m.Amounts = append(m.Amounts, moved)
	}
	return app.onCase(func(r *recovery.Recovery) (*recovery.Case, error) { return r.Move(app.ctx, m) })
}

type (
	recoveryReceiveCmd struct{ movementArg }
	recoveryDepositCmd struct{ movementArg }
	recoverySendCmd    struct{ movementArg }
	recoveryArriveCmd  struct{ movementArg }
	recoveryHomeCmd    struct{ movementArg }
)

func (c *recoveryReceiveCmd) Run(app *app) error { return c.run(app, recovery.Received) }
func (c *recoveryDepositCmd) Run(app *app) error { return c.run(app, recovery.Deposited) }
func (c *recoverySendCmd) Run(app *app) error    { return c.run(app, recovery.Sent) }
func (c *recoveryArriveCmd) Run(app *app) error  { return c.run(app, recovery.Arrived) }
func (c *recoveryHomeCmd) Run(app *app) error    { return c.run(app, recovery.Home) }

type recoveryPenaltyCmd struct {
	Case     string `arg:"" help:"The clawback, DOCUMENT/SETTLEMENT."`
	Amount   string `required:"" help:"The penalty, in yuan."`
	Document string `required:"" help:"Number of the document; the same is noted once."`
	Date     string `required:"" help:"Its date (YYYY-MM-DD)."`
	By       string `required:"" help:"Who notes it."`
}

func (c *recoveryPenaltyCmd) Run(app *app) error {
	amount, err := accounts.ParseYuan(c.Amount)
	if err != nil {
		return err
	}
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	return app.onCase(func(r *recovery.Recovery) (*recovery.Case, error) {
		return r.RecordPenalty(app.ctx, recovery.Penalty{Case: c.Case, Amount: amount, Document: c.Document, Date: date, By: c.By})
	})
}

// pageArg continues a list.
type pageArg struct {
	Settlement string `help:"Only those of this settlement."`
	Region     string `help:"Only those of this insured or treating region."`
	Page       string `help:"Continue after this one, the last of an earlier page."`
	PageSize   int    `help:"How many a page, at most 1000." default:"100"`
}

func (a *pageArg) query() (q recovery.Query, err error) {
	if a.PageSize < 1 || a.PageSize > 1000 {
		return q, fault.New(fault.Invalid, "a page has 1 to 1000, not %d", a.PageSize)
	}
	q = recovery.Query{SetlID: a.Settlement, After: a.Page, Limit: a.PageSize + 1}
	if a.Region != "" {
		q.Regions = []string{a.Region}
	}
	return q, nil
}

type recoveryListCmd struct {
	State string `enum:",opened,approved,returned,declined,cancelled" default:"" help:"opened, approved, returned, declined or cancelled."`
	pageArg
}

func (c *recoveryListCmd) Run(app *app) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	query.State = recovery.State(c.State)
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	cases, _, err := s.recovery().Cases(app.ctx, query, 0)
	if err != nil {
		return err
	}
	next := ""
	if len(cases) > c.PageSize {
		cases = cases[:c.PageSize]
		next = cases[c.PageSize-1].ID
	}
	return app.printCases(cases, next)
}

func (a *app) printCases(cases []*recovery.Case, next string) error {
	if a.json {
		return a.printJSON(cases)
	}
	t := newTable("Clawback 追回", "Mode", "State", "Treating", "Insured", "Claimed", "Received", "Home 已退回", "Outstanding", "")
	t.alignRight(6, 7, 8, 9)
	for _, c := range cases {
		note := ""
		if c.Replayed {
			note = "recorded before"
		}
		t.row(c.ID, c.Mode, c.State, c.Treating, c.Insured, c.Total.Claimed, c.Total.Received, c.Total.Home, c.Total.Outstanding, note)
	}
	t.print(a.out)
	a.printf("%d clawbacks\n", len(cases))
	if next != "" {
		a.printf("more: --page %s\n", next)
	}
	return nil
}

type recoveryShowCmd struct {
	Case string `arg:"" help:"The clawback, DOCUMENT/SETTLEMENT."`
}

func (c *recoveryShowCmd) Run(app *app) error {
	return app.onCase(func(r *recovery.Recovery) (*recovery.Case, error) {
		one, _, err := r.Case(app.ctx, c.Case, 0)
		return one, err
	})
}

func printCase(app *app, c *recovery.Case) {
	app.printf("clawback %s (%s) is %s: settlement %s, treated in %s by %s, insured in %s\n", c.ID, c.Mode, c.State, c.SetlID, c.Treating, c.Provider, c.Insured)
	app.printf("%s, opened %s by %s: %s\n", c.Document, c.OpenedOn, c.OpenedBy, c.Reason)
	if c.Replayed {
		app.printf("this step was recorded before\n")
	}
	if c.Penalty != 0 {
		app.printf("penalties, posted nowhere: %s\n", c.Penalty)
	}
	t := newTable("Part", "Fund 险种", "Claimed", "Received", "Awaiting run", "In run", "At agency", "Deposited", "At province", "Home 已退回", "Outstanding")
	t.alignRight(3, 4, 5, 6, 7, 8, 9, 10, 11)
	row := func(part, fund string, s recovery.Stand) {
		t.row(part, fund, s.Claimed, s.Received, s.AwaitingRun, s.InRun, s.AtAgency, s.Deposited, s.AtProvince, s.Home, s.Outstanding)
	}
	for _, p := range c.Parts {
		row(p.Part, p.Fund, p.Stand)
	}
	row("all", "", c.Total)
	t.print(app.out)
	steps := newTable("Step", "Date", "By", "Amount", "Reference", "Run", "Entry")
	steps.alignRight(4)
	for _, s := range c.Steps {
		entries := make([]string, len(s.Entries))
		for i, id := range s.Entries {
			entries[i] = id.String()
		}
		steps.row(s.Step, s.Date, s.By, s.Amount, s.Reference+labelled(" ", s.Reason), s.Run, strings.Join(entries, " "))
	}
	steps.print(app.out)
}

type recoveryDedListCmd struct{ pageArg }

func (c *recoveryDedListCmd) Run(app *app) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, _, err := s.recovery().Deductions(app.ctx, query, 0)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > c.PageSize {
		list = list[:c.PageSize]
		next = list[c.PageSize-1].ID
	}
	if app.json {
		return app.printJSON(list)
	}
	printDeductions(app, list)
	if next != "" {
		app.printf("more: --page %s\n", next)
	}
	return nil
}

// dayText is a date, or a dash for none.
func dayText(d civil.Date) string {
	if d.IsZero() {
		return "-"
	}
	return d.String()
}
