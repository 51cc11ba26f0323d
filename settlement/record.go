package settlement

import (
	"crypto/sha256"
	"strings"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// parts are the amounts that funds pay, by field, in fen.
type parts [partCount]accounts.Fen

func (p parts) sum() (total accounts.Fen) {
	for _, amount := range p {
		total += amount
	}
	return total
}

func (p parts) negative() parts {
	for i := range p {
		p[i] = -p[i]
	}
	return p
}

func (p parts) plus(q parts) parts {
	for i := range p {
		p[i] += q[i]
	}
	return p
}

// record is the content of a valid row.
type record struct {
	id, mdtrtID, psnNo          string
	insutype, insured, treating string
	provider, clrType, medType  string
	begndate, enddate           civil.Date
	setlTime                    time.Time
	medfee, fundPay, cash       accounts.Fen
	parts                       parts
	refund                      bool
	orig                        string

	// of a refund that is posted now: its original, and what was refunded of it
	// before, not positive.
	of     *record
	before parts
}

// settledOn is the date of the settlement in Shanghai.
func (r *record) settledOn() civil.Date { return civil.DateOf(r.setlTime.In(shanghai)) }

// month is the service month.
func (r *record) month() accounts.Month { return accounts.MonthOf(r.settledOn()) }

// texts returns the content field by field in its canonical form: two records
// are the same if and only if these are.
func (r *record) texts() [fieldCount]string {
	t := [fieldCount]string{
		r.id, r.mdtrtID, r.psnNo, r.insutype, r.insured, r.treating, r.provider, r.clrType, r.medType,
		r.begndate.String(), r.enddate.String(), r.setlTime.In(shanghai).Format(time.RFC3339Nano),
		r.medfee.String(), r.fundPay.String(),
	}
	for i, amount := range r.parts {
		t[fHifp+i] = amount.String()
	}
	t[fCash], t[fRefund], t[fOrig] = r.cash.String(), "0", r.orig
	if r.refund {
		t[fRefund] = "1"
	}
	return t
}

// text is the content as one line of a file.
func (r *record) text() string {
	t := r.texts()
	return strings.Join(t[:], "\t")
}

// digestOf identifies a content. Valid and rejected rows never share one.
func digestOf(valid bool, content string) []byte {
	domain := "rejected\t"
	if valid {
		domain = "valid\t"
	}
	sum := sha256.Sum256([]byte(domain + content))
	return sum[:]
}

// differences names the fields in which the records differ, and tells whether
// an amount or the refund flag is among them.
func differences(a, b *record) (names []string, amount bool) {
	x, y := a.texts(), b.texts()
	for i := range x {
		if x[i] != y[i] {
			names = append(names, fieldNames[i])
			amount = amount || isAmount(i)
		}
	}
	return names, amount
}

func recordOf(c *db.ReadContentRow) *record {
	return &record{
		id: c.SetlID, mdtrtID: c.MdtrtID, psnNo: c.PsnNo, insutype: c.Insutype, insured: c.Insured, treating: c.Treating,
		provider: c.Provider, clrType: c.ClrType, medType: c.MedType,
		begndate: civil.DateOf(c.Begndate.Time), enddate: civil.DateOf(c.Enddate.Time), setlTime: c.SetlTime.Time,
		medfee: accounts.Fen(c.MedfeeFen), fundPay: accounts.Fen(c.FundPayFen), cash: accounts.Fen(c.CashFen),
		parts: parts{accounts.Fen(c.HifpFen), accounts.Fen(c.CvlservFen), accounts.Fen(c.HifesFen), accounts.Fen(c.HifmiFen),
			accounts.Fen(c.HifobFen), accounts.Fen(c.MafFen), accounts.Fen(c.OthFen), accounts.Fen(c.AcctFen)},
		refund: c.Refund, orig: c.OrigSetlID,
	}
}
