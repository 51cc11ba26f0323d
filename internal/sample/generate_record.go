package sample

import (
	"strconv"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

const header = "setl_id\tmdtrt_id\tpsn_no\tinsutype\tinsu_admdvs\tmdtrtarea_admvs\tfixmedins_code\tclr_type\tmed_type\t" +
	"begndate\tenddate\tsetl_time\tmedfee_sumamt\tfund_pay_sumamt\thifp_pay\tcvlserv_pay\thifes_pay\thifmi_pay\t" +
	"hifob_pay\tmaf_pay\toth_pay\tacct_pay\tpsn_cash_pay\trefd_setl_flag\torig_setl_id\n"

// The seven parts of the fund payment, in the order of their columns.
const (
	hifp = iota
	cvlserv
	hifes
	hifmi
	hifob
	maf
	oth
	parts
)

// record is one settlement or refund, as all sides should see it.
type record struct {
	id, original    string // original: of a refund
	person          string
	insurance       string
	insured, treats string // regions
	provider        string
	clearing        string
	medical         string
	begin, end      civil.Date
	at              civil.DateTime
	total, fund     accounts.Fen
	pay             [parts]accounts.Fen
	account, cash   accounts.Fen
}

// sum sets the two totals.
func (r *record) sum() {
	r.fund = 0
	for _, p := range r.pay {
		r.fund += p
	}
	r.total = r.fund + r.account + r.cash
}

// append writes the record as a row of a file.
func (r *record) append(b []byte) []byte {
	b = append(append(b, r.id...), '\t')
	visit := r.id
	if r.original != "" {
		visit = r.original
	}
	b = append(append(append(b, 'S'), visit[1:]...), '\t')
	for _, s := range []string{r.person, r.insurance, r.insured, r.treats, r.provider, r.clearing, r.medical} {
		b = append(append(b, s...), '\t')
	}
	b = append(appendDate(b, r.begin), '\t')
	b = append(appendDate(b, r.end), '\t')
	b = append(appendDate(b, r.at.Date), 'T')
	b = append(appendTwo(b, r.at.Time.Hour), ':')
	b = append(appendTwo(b, r.at.Time.Minute), ':')
	b = append(appendTwo(b, r.at.Time.Second), "+08:00\t"...)
	b = append(appendYuan(b, r.total), '\t')
	b = append(appendYuan(b, r.fund), '\t')
	for _, p := range r.pay {
		b = append(appendYuan(b, p), '\t')
	}
	b = append(appendYuan(b, r.account), '\t')
	b = append(appendYuan(b, r.cash), '\t')
	if r.original == "" {
		return append(b, "0\tnull\n"...)
	}
	b = append(append(b, "1\t"...), r.original...)
	return append(b, '\n')
}

func appendDate(b []byte, d civil.Date) []byte {
	b = append(strconv.AppendInt(b, int64(d.Year), 10), '-')
	b = append(appendTwo(b, int(d.Month)), '-')
	return appendTwo(b, d.Day)
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

func appendYuan(b []byte, f accounts.Fen) []byte {
	if f < 0 {
		b, f = append(b, '-'), -f
	}
	b = strconv.AppendInt(b, int64(f/100), 10)
	return appendTwo(append(b, '.'), int(f%100))
}
