package settlement

import (
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// Longest values of the text fields.
const (
	maxSetlID   = 30
	maxMdtrtID  = 30
	maxProvider = 30
)

// row is a line of a file after validation: a record, or what is wrong with it.
type row struct {
	line    int64
	id      string         // empty where it cannot be told
	month   accounts.Month // empty where it cannot be told
	refund  bool
	digest  []byte
	content string  // as it may be stored
	record  *record // nil for a rejected row
	fault   *fieldError
}

// parser turns lines into rows.
type parser struct {
	rules   *rules
	columns [fieldCount]int // where each field stands in a line
	width   int
	cells   []string
}

// parse reads one line without its end.
func (p *parser) parse(number int64, line string) row {
	r := row{line: number}
	if !utf8.ValidString(line) {
		r.fault = &fieldError{kind: InvalidRow, reason: "the line is not UTF-8"}
		r.digest = digestOf(false, "")
		return r
	}
	p.cells = p.cells[:0]
	for cell := range strings.SplitSeq(line, "\t") {
		p.cells = append(p.cells, cell)
	}
	if len(p.cells) != p.width {
		r.fault = &fieldError{kind: InvalidRow, reason: "the line has " + plural(len(p.cells), "column") + ", the header has " + plural(p.width, "column")}
		r.digest = digestOf(false, "")
		return r
	}
	var values [fieldCount]string
	for field, column := range p.columns {
		if value := p.cells[column]; value != "null" {
			values[field] = value
		}
	}
	rec, fault := p.rules.record(&values)
	if fault == nil {
		r.record, r.id, r.month, r.refund = rec, rec.id, rec.month(), rec.refund
		r.digest = digestOf(true, rec.text())
		return r
	}
	r.fault, r.refund = fault, values[fRefund] == "1"
	if checkID(fSetlID, values[fSetlID], maxSetlID) == nil {
		r.id = values[fSetlID]
	}
	if on, ok := parseTime(values[fSetlTime]); ok {
		r.month = accounts.MonthOf(civil.DateOf(on.In(shanghai)))
	}
	r.content = storable(&values)
	r.digest = digestOf(false, r.content)
	return r
}

// storable is the content of a rejected row as it may be kept: empty when
// anything in it may name a person.
func storable(values *[fieldCount]string) string {
	if psn := values[fPsnNo]; psn != "" && !isPersonHash(psn) {
		return ""
	}
	for field, value := range values {
		if field != fSetlID && field != fMdtrtID && field != fOrig && looksPersonal(value) || len(value) > 200 {
			return ""
		}
	}
	text := strings.Join(values[:], "\t")
	for i := range len(text) {
		if text[i] >= 0x80 || text[i] < ' ' && text[i] != '\t' {
			return ""
		}
	}
	return text
}

// record validates the values of a row, field by field, then what holds
// between them.
func (r *rules) record(v *[fieldCount]string) (*record, *fieldError) {
	for field, value := range v {
		if value == "" && !optional[field] {
			return nil, bad(field, MissingField, "the field is required")
		}
	}
	rec := &record{
		id: v[fSetlID], mdtrtID: v[fMdtrtID], psnNo: v[fPsnNo], insutype: v[fInsutype], insured: v[fInsured],
		treating: v[fTreating], provider: v[fProvider], clrType: v[fClrType], medType: v[fMedType], orig: v[fOrig],
	}
	if !isPersonHash(rec.psnNo) {
		return nil, bad(fPsnNo, PersonalData, "not a salted person hash: names and identity numbers are not accepted, and the value is not kept")
	}
	for _, text := range []struct{ field, max int }{{fSetlID, maxSetlID}, {fMdtrtID, maxMdtrtID}, {fProvider, maxProvider}, {fOrig, maxSetlID}} {
		if value := v[text.field]; value != "" {
			if fault := checkID(text.field, value, text.max); fault != nil {
				return nil, fault
			}
		}
	}
	if fault := rec.readDates(v); fault != nil {
		return nil, fault
	}
	if fault := rec.readAmounts(v); fault != nil {
		return nil, fault
	}
	if fault := r.checkCodes(rec); fault != nil {
		return nil, fault
	}
	if fault := r.checkRegions(rec); fault != nil {
		return nil, fault
	}
	if fault := rec.checkRefund(v); fault != nil {
		return nil, fault
	}
	return rec, rec.checkSums()
}

func checkID(field int, value string, longest int) *fieldError {
	switch {
	case value == "":
		return bad(field, MissingField, "the field is required")
	case len(value) > longest:
		return bad(field, InvalidField, "at most %d characters, this has %d", longest, len(value))
	case !isCode(value):
		return bad(field, InvalidField, "%s has characters other than letters, digits, point, dash and underscore", quoted(value))
	}
	return nil
}

func (rec *record) readDates(v *[fieldCount]string) *fieldError {
	for _, date := range []struct {
		field int
		into  *civil.Date
	}{{fBegndate, &rec.begndate}, {fEnddate, &rec.enddate}} {
		d, err := accounts.ParseDate(v[date.field])
		if err != nil {
			return bad(date.field, InvalidDate, "%s is not a date: write YYYY-MM-DD", quoted(v[date.field]))
		}
		*date.into = d
	}
	if rec.enddate.Before(rec.begndate) {
		return bad(fEnddate, InvalidDate, "discharge %s lies before admission %s", rec.enddate, rec.begndate)
	}
	t, ok := parseTime(v[fSetlTime])
	if !ok {
		return bad(fSetlTime, InvalidDate, "%s is not a time with offset: write YYYY-MM-DDThh:mm:ss+08:00", quoted(v[fSetlTime]))
	}
	rec.setlTime = t
	return nil
}

// parseTime reads a time with offset, to the microsecond that the database keeps.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1901 || t.Year() > 9998 || t.Truncate(time.Microsecond) != t {
		return time.Time{}, false
	}
	return t, true
}

func (rec *record) readAmounts(v *[fieldCount]string) *fieldError {
	read := func(field int, into *accounts.Fen) *fieldError {
		if v[field] == "" {
			return nil
		}
		amount, err := accounts.ParseYuan(v[field])
		if err != nil {
			return bad(field, InvalidAmount, "%s is not an amount in yuan with at most two decimals", quoted(v[field]))
		}
		*into = amount
		return nil
	}
	for part := range rec.parts {
		if fault := read(fHifp+part, &rec.parts[part]); fault != nil {
			return fault
		}
	}
	for _, amount := range []struct {
		field int
		into  *accounts.Fen
	}{{fMedfee, &rec.medfee}, {fFundPay, &rec.fundPay}, {fCash, &rec.cash}} {
		if fault := read(amount.field, amount.into); fault != nil {
			return fault
		}
	}
	return nil
}

func (r *rules) checkCodes(rec *record) *fieldError {
	on := rec.settledOn()
	for _, code := range []struct {
		field int
		list  accounts.CodeList
		value string
	}{{fInsutype, accounts.InsuranceType, rec.insutype}, {fClrType, accounts.ClearingType, rec.clrType}, {fMedType, accounts.MedicalType, rec.medType}} {
		if !r.known(code.list, code.value, on) {
			return bad(code.field, UnknownCode, "%s is no code of %s on %s: see fundledger rules", quoted(code.value), code.list, on)
		}
	}
	if rec.parts[pAcct] != 0 && rec.insutype != accountFund {
		return bad(fAcct, InvalidField, "only insutype %s has individual accounts, this is %s", accountFund, rec.insutype)
	}
	return nil
}

func (r *rules) checkRegions(rec *record) *fieldError {
	for _, region := range []struct {
		field int
		code  string
	}{{fInsured, rec.insured}, {fTreating, rec.treating}} {
		switch kind, ok := r.regions[region.code]; {
		case !ok:
			return bad(region.field, UnknownRegion, "%s is no region we know", quoted(region.code))
		case kind == accounts.Province:
			return bad(region.field, UnknownRegion, "%s is the province itself: settlements name its cities (统筹地区)", region.code)
		}
	}
	if _, ours := r.kindOf(rec.insured, rec.treating); !ours {
		return bad(fTreating, NotOurs, "neither %s nor %s is a city of ours", rec.insured, rec.treating)
	}
	if rec.insured == rec.treating {
		return bad(fTreating, NotOurs, "insured and treated in %s: that is no settlement between regions", rec.insured)
	}
	return nil
}

func (rec *record) checkRefund(v *[fieldCount]string) *fieldError {
	switch v[fRefund] {
	case "0":
		if rec.orig != "" {
			return bad(fOrig, InvalidField, "only a refund (refd_setl_flag 1) names an original")
		}
	case "1":
		rec.refund = true
		if rec.orig == "" {
			return bad(fOrig, MissingField, "a refund (refd_setl_flag 1) names its original")
		}
		if rec.orig == rec.id {
			return bad(fOrig, InvalidField, "a refund cannot be its own original")
		}
	default:
		return bad(fRefund, InvalidField, "%s is neither 0 nor 1", quoted(v[fRefund]))
	}
	wrong := func(field int, amount accounts.Fen) *fieldError {
		switch {
		case rec.refund && amount > 0:
			return bad(field, InvalidAmount, "%s in a refund: its amounts are negative or zero", amount)
		case !rec.refund && amount < 0:
			return bad(field, InvalidAmount, "%s is negative: only a refund (refd_setl_flag 1) has such amounts", amount)
		}
		return nil
	}
	for _, total := range []struct {
		field  int
		amount accounts.Fen
	}{{fMedfee, rec.medfee}, {fFundPay, rec.fundPay}, {fCash, rec.cash}} {
		if fault := wrong(total.field, total.amount); fault != nil {
			return fault
		}
	}
	for part, amount := range rec.parts {
		if fault := wrong(fHifp+part, amount); fault != nil {
			return fault
		}
	}
	return nil
}

func (rec *record) checkSums() *fieldError {
	acct := rec.parts[pAcct]
	if sum := rec.parts.sum() - acct; sum != rec.fundPay {
		return bad(fFundPay, ComponentsDoNotSum, "fund_pay_sumamt is %s, its seven parts sum to %s", rec.fundPay, sum)
	}
	if sum := rec.fundPay + acct + rec.cash; sum != rec.medfee {
		return bad(fMedfee, ComponentsDoNotSum, "medfee_sumamt is %s, fund_pay_sumamt + acct_pay + psn_cash_pay is %s", rec.medfee, sum)
	}
	return nil
}
