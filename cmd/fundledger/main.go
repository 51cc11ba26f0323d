// Command fundledger keeps the books of a province's medical insurance funds:
// it imports settlements, reconciles and clears them, records the payments and
// checks everything from the journal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"fundledger/internal/fault"
)

// cli is the command line; each command is a struct with a Run(*app) error in
// a file of its own.
type cli struct {
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"The database, as postgres://USER@HOST:PORT/NAME; CockroachDB or PostgreSQL. Default: $$FUNDLEDGER_DATABASE_URL."`
	JSON        bool   `name:"json" help:"Print reports and errors as JSON."`

	Demo      demoCmd       `cmd:"" help:"Do the whole job on a sample month, with a database of its own."`
	Migrate   migrateCmd    `cmd:"" help:"Create the schema, or bring it up to date."`
	Setup     setupCmd      `cmd:"" help:"Write the rules, open the books and post opening balances."`
	Rules     rulesCmd      `cmd:"" help:"Print the posting table, the chart, the policy, the calendar and the codes."`
	Import    importCmd     `cmd:"" help:"Import files."`
	Reconcile reconcileCmd  `cmd:"" help:"Compare the three sides of a month or of a day (三方对账) and post what agrees."`
	Late      lateCmd       `cmd:"" help:"List settlements that have missed the cut-off of their month, or are overdue."`
	Provider  providerCmd   `cmd:"" help:"Reconcile with providers (定点机构), pay them, and show how they stand."`
	Reimburse reimburseCmd  `cmd:"" help:"Pay patients who could not settle directly (零星报销)."`
	Feecheck  feecheckCmd   `cmd:"" help:"Let bills be checked where they were made (费用协查)."`
	Story     settlementCmd `cmd:"" name:"settlement" help:"Tell the whole story of a settlement."`
	Recovery  recoveryCmd   `cmd:"" help:"Deductions (审核扣款) and clawbacks (追回)."`
	Report    reportCmd     `cmd:"" help:"Print the figures of a month, the quotas of a year, and the statements of a book."`
	Clear     clearCmd      `cmd:"" help:"Freeze the runs of a month (清算) and write tables and notices."`
	Notices   noticesCmd    `cmd:"" help:"List payment and receipt notices and what is open on them."`
	Remit     remitCmd      `cmd:"" help:"Record that money moved on a notice, in full or in part."`
	Prepay    prepaymentCmd `cmd:"" name:"prepayment" help:"Prepayments (预付金): quotas, moves, utilisation, top-ups, national figures."`
	Bank      bankCmd       `cmd:"" help:"Compare the books with bank statements (账款相符) and with each other (账账相符)."`
	Post      postCmd       `cmd:"" help:"Post entries from a file, or reserve money for them."`
	Pending   pendingCmd    `cmd:"" help:"List, finish and void reservations (预占)."`
	Reverse   reverseCmd    `cmd:"" help:"Take an entry back in red letters (红字冲销), in full or in part."`
	Entry     entryCmd      `cmd:"" help:"Show one entry with its vouchers and what it is linked with."`
	Period    periodCmd     `cmd:"" help:"List, close and reopen the months of the books."`
	Close     closeCmd      `cmd:"" help:"Close months against a checklist, and years (结账)."`
	Seal      sealCmd       `cmd:"" help:"Give what is posted its place in the journal, in the background; show the lag."`
	Serve     serveCmd      `cmd:"" help:"Serve finance departments, jobs and auditors over RPC."`
	Config    configCmd     `cmd:"" help:"Show how fundledger serve is set up."`
	Check     checkCmd      `cmd:"" help:"Prove the books from the journal alone."`
	Verify    verifyCmd     `cmd:"" help:"Prove a database, or an audit bundle without any database, signatures included."`
	Export    exportCmd     `cmd:"" help:"Write the journal out for others."`
	Point     checkpointCmd `cmd:"" name:"checkpoint" help:"Sign the journal as it stands, show what was signed, make keys."`
	Prove     proveCmd      `cmd:"" help:"Prove that an entry stands in the journal, or that a journal begins with an older one."`
	Balances  balancesCmd   `cmd:"" help:"Show balances now, at a date, at a time of posting or at a journal position."`
	Statement statementCmd  `cmd:"" help:"Show the lines behind the balance of one account."`
	Generate  generateCmd   `cmd:"" help:"Make the files of a month of settlements, the same for the same seed."`
	Bench     benchCmd      `cmd:"" help:"Measure the journal, or import and reconcile, against bare inserts of the same rows."`
}

// reportCmd groups the reports of a month and the statements of books.
type reportCmd struct {
	Month        reportMonthCmd        `cmd:"" help:"Records, exceptions and amounts of a service month."`
	Quotas       reportQuotasCmd       `cmd:"" help:"Prepayment quotas (预付金) of a year."`
	BenefitYears reportBenefitYearsCmd `cmd:"" help:"What was accepted for a benefit year (待遇年度), in it and later."`

	TrialBalance reportTrialCmd        `cmd:"" help:"科目余额表 of a book and fund."`
	BalanceSheet reportBalanceSheetCmd `cmd:"" help:"资产负债表 of a book and fund."`
	Income       reportIncomeCmd       `cmd:"" help:"收支表 of a book and fund."`
	Ledger       reportLedgerCmd       `cmd:"" help:"总账 of a book and fund, month by month."`
	Ageing       reportAgeingCmd       `cmd:"" help:"往来账龄: how old 暂付 and 暂收 are."`
	Check        reportCheckCmd        `cmd:"" help:"Check that a published table ties (勾稽)."`
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the operation or a check failed
	exitUsage  = 2
)

// app is what a command needs of the world outside.
type app struct {
	ctx         context.Context // ends with SIGINT and SIGTERM
	out, errOut io.Writer
	json        bool
	databaseURL string
	env         func(string) string
}

// collectAt: the program makes much garbage and keeps little, so it trades
// memory for time as long as there is enough.
const (
	collectAt   = 400       // percent
	memoryLimit = 200 << 20 // bytes, from which on the default holds
)

func main() {
	debug.SetGCPercent(collectAt)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// helpShown ends a parse that has printed the help.
type helpShown struct{}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, env func(string) string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
		}
	}()
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("fundledger"),
		kong.Description("The settlement and clearing ledger of a province's medical insurance funds."),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) { panic(helpShown{}) }),
	)
	if err != nil {
		panic(err) // the command line itself is malformed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		printError(stderr, slices.Contains(args, "--json"), fault.New(fault.Invalid, "%w; see fundledger --help", err))
		return exitUsage
	}
	a := &app{ctx: ctx, out: stdout, errOut: stderr, json: commands.JSON, databaseURL: commands.DatabaseURL, env: env}
	if a.databaseURL == "" {
		a.databaseURL = env("FUNDLEDGER_DATABASE_URL")
	}
	if err := parsed.Run(a); err != nil {
		printError(stderr, a.json, err)
		return exitFailed
	}
	return exitOK
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// printJSON prints the report of a command.
func (a *app) printJSON(report any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

// printError prints one line, or one JSON object.
func printError(w io.Writer, asJSON bool, err error) {
	known := asFault(err)
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.Encode(map[string]*fault.Error{"error": known})
		return
	}
	fmt.Fprintf(w, "fundledger: %s%s\n", strings.ReplaceAll(known.Message, "\n", "; "), details(known))
}

func asFault(err error) *fault.Error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		if message := err.Error(); message != known.Message { // wrapped with where it happened
			return &fault.Error{Kind: known.Kind, Message: message, Details: known.Details}
		}
		return known
	}
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "interrupted")
	}
	return fault.New(fault.Internal, "%w", err)
}

// details lists what the message does not already say.
func details(err *fault.Error) string {
	var list []string
	for _, d := range err.Details {
		if !strings.Contains(err.Message, d.Value) {
			list = append(list, d.Name+": "+d.Value)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}
