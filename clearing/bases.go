package clearing

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Basis names a figure of last year that the prepayment quotas follow from.
type Basis string

const (
	InProvincePayable    Basis = "in_province_payable"    // by city, year
	InProvinceReceivable Basis = "in_province_receivable" // by city, year
	CrossPayable         Basis = "cross_province_payable" // by city, year: the key of the split
	CrossSettled         Basis = "cross_province_settled" // by counterparty province, months of the last quarter
)

// Bases are last year's figures, as a file gives them.
type Bases struct {
	year    int // that the quotas are for
	rules   quotaRules
	file    string
	amounts map[baseKey]accounts.Fen
	// counterparties in the order in which the file first names them
	counterparties []string
}

type baseKey struct {
	basis               Basis
	fund, party, period string
}

var baseFields = []string{"basis", "fund", "region", "counterparty", "period", "amount"}

// maxBaseErrors bounds how many bad fields one error message lists.
const maxBaseErrors = 20

// ReadBases reads the prepayment bases for the quotas of the year: TAB
// separated with a header line, as in files.md. Every bad field is named as
// file:line:field in one Invalid error: unknown codes, periods of other years,
// amounts with more than two decimals, a figure given twice.
func ReadBases(book *accounts.Rulebook, year int, file string, r io.Reader) (*Bases, error) {
	rules, err := readQuotaRules(book, year)
	if err != nil {
		return nil, err
	}
	b := &Bases{year: year, rules: rules, file: file, amounts: map[baseKey]accounts.Fen{}}
	var faults []string
	report := func(line int, field, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s:%d:%s: %s", file, line, field, fmt.Sprintf(format, args...)))
	}
	lines := bufio.NewScanner(r)
	var header []string
	first := map[baseKey]int{}
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		if header == nil {
			header = strings.Split(strings.TrimPrefix(text, "\ufeff"), "\t")
			for _, name := range baseFields {
				if !slices.Contains(header, name) {
					return nil, fault.New(fault.Invalid, "%s:%d:%s: the header lacks this field", file, n, name)
				}
			}
			continue
		}
		if text == "" {
			continue
		}
		values := strings.Split(text, "\t")
		if len(values) != len(header) {
			report(n, "basis", "the row has %d fields, the header %d", len(values), len(header))
			continue
		}
		row := map[string]string{}
		for i, name := range header {
			if values[i] != "null" {
				row[name] = values[i]
			}
		}
		b.add(book, n, row, first, report)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", file, err)
	}
	if header == nil {
		return nil, fault.New(fault.Invalid, "%s:1:basis: the file is empty", file)
	}
	if len(faults) > 0 {
		shown := faults[:min(len(faults), maxBaseErrors)]
		return nil, fault.New(fault.Invalid, "%d errors in the prepayment bases:\n%s", len(faults), strings.Join(shown, "\n"))
	}
	return b, nil
}

func (b *Bases) add(book *accounts.Rulebook, n int, row map[string]string, first map[baseKey]int, report func(int, string, string, ...any)) {
	key := baseKey{basis: Basis(row["basis"]), fund: row["fund"], party: row["region"], period: row["period"]}
	kind, partyField, otherField := accounts.City, "region", "counterparty"
	periods := []string{fmt.Sprint(b.year - 1)}
	switch key.basis {
	case InProvincePayable, InProvinceReceivable, CrossPayable:
	case CrossSettled:
		kind, partyField, otherField = accounts.Counterparty, "counterparty", "region"
		key.party = row["counterparty"]
		periods = b.rules.months
	default:
		report(n, "basis", "%q is none of %s, %s, %s, %s", row["basis"], InProvincePayable, InProvinceReceivable, CrossPayable, CrossSettled)
		return
	}
	ok := true
	bad := func(field, format string, args ...any) {
		ok = false
		report(n, field, format, args...)
	}
	if !slices.ContainsFunc(book.Funds, func(f accounts.Fund) bool { return f.Code == key.fund }) {
		bad("fund", "there is no fund %q", key.fund)
	}
	if region, known := book.Regions.Find(key.party); !known || region.Kind != kind {
		bad(partyField, "%q is not a known %s", key.party, kind)
	}
	if other := row[otherField]; other != "" && !(otherField == "region" && other == book.Regions.Home().Code) {
		bad(otherField, "%q does not belong to %s: leave it empty", other, key.basis)
	}
	if !slices.Contains(periods, key.period) {
		bad("period", "%q is not of the year before %d: %s is by %s", key.period, b.year, key.basis, strings.Join(periods, ", "))
	}
	amount, err := accounts.ParseYuan(row["amount"])
	if err != nil {
		bad("amount", "%s", err)
	}
	if !ok {
		return
	}
	if before, twice := first[key]; twice {
		report(n, "basis", "this figure stands in line %d already", before)
		return
	}
	first[key] = n
	b.amounts[key] = amount
	if key.basis == CrossSettled && !slices.Contains(b.counterparties, key.party) {
		b.counterparties = append(b.counterparties, key.party)
	}
}
