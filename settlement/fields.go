package settlement

import "slices"

// The columns of a settlement file, in the order in which content is written
// and compared.
const (
	fSetlID = iota
	fMdtrtID
	fPsnNo
	fInsutype
	fInsured
	fTreating
	fProvider
	fClrType
	fMedType
	fBegndate
	fEnddate
	fSetlTime
	fMedfee
	fFundPay
	fHifp
	fCvlserv
	fHifes
	fHifmi
	fHifob
	fMaf
	fOth
	fAcct
	fCash
	fRefund
	fOrig
	fieldCount
)

// fieldNames are the names that the national platform's interfaces use.
var fieldNames = [fieldCount]string{
	"setl_id", "mdtrt_id", "psn_no", "insutype", "insu_admdvs", "mdtrtarea_admvs", "fixmedins_code",
	"clr_type", "med_type", "begndate", "enddate", "setl_time", "medfee_sumamt", "fund_pay_sumamt",
	"hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay",
	"acct_pay", "psn_cash_pay", "refd_setl_flag", "orig_setl_id",
}

// optional fields may be absent in a row; an absent amount is 0.00.
var optional = [fieldCount]bool{
	fMdtrtID: true, fOrig: true, fHifp: true, fCvlserv: true, fHifes: true, fHifmi: true,
	fHifob: true, fMaf: true, fOth: true, fAcct: true, fCash: true,
}

// The parts of a settlement that funds pay: the fields from hifp_pay to
// acct_pay.
const (
	partCount = fAcct - fHifp + 1
	pHifp     = 0
	pAcct     = fAcct - fHifp
)

// partField returns the field name of a part.
func partField(part int) string { return fieldNames[fHifp+part] }

// isAmount tells whether a difference in the field is a difference in money;
// the refund flag counts as one.
func isAmount(field int) bool { return field >= fMedfee && field <= fRefund }

// Columns returns the names of all columns that a settlement file must have.
func Columns() []string { return slices.Clone(fieldNames[:]) }
