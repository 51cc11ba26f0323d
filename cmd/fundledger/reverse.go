package main

import (
	"strconv"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// reverseCmd takes an entry back.
type reverseCmd struct {
	Entry    string   `arg:"" help:"The entry's id or its key."`
	Key      string   `required:"" help:"Idempotency key of the reversing entry: the same key is posted once."`
	Date     string   `required:"" help:"Business date of the reversing entry (YYYY-MM-DD)."`
	Period   string   `help:"Accounting period (YYYY-MM). Default: the month of the date."`
	Preparer string   `required:"" help:"Who prepares it."`
	Reviewer string   `help:"Who reviews it."`
	Summary  string   `help:"Summary (摘要). Default: 红字冲销 and that of the original."`
	Source   string   `help:"Reference of the source document. Default: that of the original."`
	Posting  []string `sep:"none" placeholder:"N=AMOUNT" help:"Take back only this of posting N (1 is the first), in yuan with its sign; repeat. Postings that are not named stay as they are. Default: all of it."`
}

func (c *reverseCmd) Run(app *app) error {
	r := ledger.Reversal{
		Key: c.Key, Of: entryNamed(c.Entry), Summary: c.Summary, Source: c.Source, Preparer: c.Preparer, Reviewer: c.Reviewer,
	}
	var err error
	if r.Date, err = accounts.ParseDate(c.Date); err != nil {
		return err
	}
	if r.Period, err = optionalMonth(c.Period); err != nil {
		return err
	}
	if r.Period == "" {
		r.Period = accounts.MonthOf(r.Date)
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	original, err := s.journal.Entry(app.ctx, r.Of)
	if err != nil {
		return err
	}
	if r.Summary == "" {
		r.Summary = "红字冲销 " + original.Summary
	}
	if r.Amounts, err = partial(c.Posting, len(original.Postings)); err != nil {
		return err
	}
	result, err := s.journal.Reverse(app.ctx, r)
	if err != nil {
		return err
	}
	return app.printOne(c.Key, result)
}

// partial reads amounts of some of the postings, as N=AMOUNT; the others are
// 0. Nothing given is nil: all of it.
func partial(texts []string, postings int) ([]accounts.Fen, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	amounts := make([]accounts.Fen, postings)
	for _, text := range texts {
		number, yuan, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			return nil, fault.New(fault.Invalid, "--posting %q: write N=AMOUNT, such as 1=12.34", text)
		}
		if n < 1 || n > postings {
			return nil, fault.New(fault.Invalid, "--posting %s: the entry has %d postings", text, postings)
		}
		if amounts[n-1] != 0 {
			return nil, fault.New(fault.Invalid, "--posting %s: posting %d is given twice", text, n)
		}
		if amounts[n-1], err = accounts.ParseYuan(yuan); err != nil {
			return nil, err
		}
	}
	return amounts, nil
}

func optionalMonth(s string) (accounts.Month, error) {
	if s == "" {
		return "", nil
	}
	return accounts.ParseMonth(s)
}
