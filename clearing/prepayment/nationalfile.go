package prepayment

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// NationalKind is what the national platform has decided.
type NationalKind string

const (
	ClearingList   NationalKind = "clearing" // 国家清分结果 of a month: payable to and receivable from each province (J48)
	QuotaNotice    NationalKind = "quota"    // 预付金额度调整付款通知书 of a year: quota and adjustment at each province (J31一)
	ApprovedTopUps NationalKind = "top-up"   // 核定的调增额度 of a month (J31二)
)

// nationalForm is the form of a list: the column of its period, and its amounts.
type nationalForm struct {
	period  string
	amounts []string
}

var nationalForms = map[NationalKind]nationalForm{
	ClearingList:   {"month", []string{"payable", "receivable"}},
	QuotaNotice:    {"year", []string{"quota", "adjustment"}},
	ApprovedTopUps: {"month", []string{"amount"}},
}

// figures are a list as it was read.
type figures struct {
	kind   NationalKind
	period string
	digest string
	rows   []figureRow
}

type figureRow struct {
	line           int
	province, fund string
	amounts        [2]accounts.Fen
}

// maxFigureErrors bounds how many bad fields one error message lists.
const maxFigureErrors = 20

// readFigures reads a list: TAB separated with a header line, columns period
// (month or year), province, fund and the amounts of its kind in any order, one
// row per province and fund, one period per file. Every bad field is named as
// file:line:field in one Invalid error.
func readFigures(book *accounts.Rulebook, kind NationalKind, file string, content []byte) (*figures, error) {
	form, ok := nationalForms[kind]
	if !ok {
		return nil, fault.New(fault.Invalid, "%q is none of the national lists %s, %s, %s", kind, ClearingList, QuotaNotice, ApprovedTopUps).With("field", "kind")
	}
	f := &figures{kind: kind}
	var faults []string
	report := func(line int, field, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s:%d:%s: %s", file, line, field, fmt.Sprintf(format, args...)))
	}
	fields := append([]string{form.period, "province", "fund"}, form.amounts...)
	var header []string
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		values := strings.Split(text, "\t")
		switch {
		case header == nil:
			header = strings.Split(strings.TrimPrefix(text, "\ufeff"), "\t")
			for _, name := range fields {
				if !slices.Contains(header, name) {
					return nil, fault.New(fault.Invalid, "%s:%d:%s: the header lacks this field; a %s list has %s", file, n, name, kind, strings.Join(fields, ", "))
				}
			}
		case text == "":
		case len(values) != len(header):
			report(n, form.period, "the row has %d fields, the header %d", len(values), len(header))
		default:
			row := map[string]string{}
			for i, name := range header {
				row[name] = values[i]
			}
			f.add(book, form, n, row, report)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", file, err)
	}
	if len(faults) == 0 && len(f.rows) == 0 {
		report(1, form.period, "the list has no rows")
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, "%d errors in the national list:\n%s", len(faults), strings.Join(faults[:min(len(faults), maxFigureErrors)], "\n"))
	}
	f.digest = fmt.Sprintf("%s-%s-%.16x", kind, f.period, sha256.Sum256(content))
	return f, nil
}

func (f *figures) add(book *accounts.Rulebook, form nationalForm, n int, row map[string]string, report func(int, string, string, ...any)) {
	at := figureRow{line: n, province: row["province"], fund: row["fund"]}
	on, err := periodStart(form.period, row[form.period])
	switch {
	case err != nil:
		report(n, form.period, "%s", err)
	case f.period == "":
		f.period = row[form.period]
	case f.period != row[form.period]:
		report(n, form.period, "%q is another period than %q: one file has one", row[form.period], f.period)
	}
	if region, known := book.Regions.Find(at.province); !known || region.Kind != accounts.Counterparty {
		report(n, "province", "%q is no other province", at.province)
	}
	if !slices.ContainsFunc(book.Funds, func(fund accounts.Fund) bool { return fund.Code == at.fund && (err != nil || fund.On(on)) }) {
		report(n, "fund", "there is no fund %q", at.fund)
	}
	for i, name := range form.amounts {
		amount, err := accounts.ParseYuan(row[name])
		if err != nil {
			report(n, name, "%s", err)
		}
		at.amounts[i] = amount
	}
	if i := slices.IndexFunc(f.rows, func(r figureRow) bool { return r.province == at.province && r.fund == at.fund }); i >= 0 {
		report(n, "province", "province and fund stand in line %d already", f.rows[i].line)
	}
	f.rows = append(f.rows, at)
}

// periodStart is the first day of a month or year.
func periodStart(kind, text string) (civil.Date, error) {
	if kind == "month" {
		month, err := accounts.ParseMonth(text)
		if err != nil {
			return civil.Date{}, err
		}
		return month.First(), nil
	}
	year, err := strconv.Atoi(text)
	if err != nil || year < 1950 || year > 9999 {
		return civil.Date{}, fault.New(fault.Invalid, "%q is not a year", text)
	}
	return civil.Date{Year: year, Month: 1, Day: 1}, nil
}
