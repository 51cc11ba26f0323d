package prepayment

import (
	"strings"

	"cloud.google.com/go/civil"
)

// Keys of the policy that prepayments read.
const (
	policyFunds        = "prepayment.funds"
	policyNoticeMonth  = "prepayment.notice_month"
	policyCityDays     = "prepayment.in_province.days"
	policyAgencyDays   = "prepayment.cross.agency_days"
	policyFinanceDays  = "prepayment.cross.finance_days"
	policyForwardMonth = "prepayment.cross.forward_month"
	policyRed          = "topup.red_percent"
	policyYellow       = "topup.yellow_percent"
	policyTopUpAgency  = "topup.agency_days"
	policyTopUpFinance = "topup.finance_days"
)

// fundsOn are the funds that have prepayments on the date.
func (p *Prepayments) fundsOn(on civil.Date) ([]string, error) {
	funds, err := p.book.Policy.Find(policyFunds, on)
	if err != nil {
		return nil, err
	}
	return strings.Split(funds.Value, ","), nil
}
