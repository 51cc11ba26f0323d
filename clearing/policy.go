package clearing

// Keys of the policy that clearing reads.
const (
	policyDebtorDays   = "clearing.in_province.debtor_days"
	policyAgencyDays   = "clearing.cross.agency_days"
	policyFinanceDays  = "clearing.cross.finance_days"
	policyProvinceDay  = "clearing.cross.province_day"
	policyNoticeDay    = "clearing.notice_day"
	policyQuotaPercent = "prepayment.in_province.percent"
	policyQuotaMonths  = "prepayment.cross.months"
	policyBaseMonths   = "prepayment.cross.base_months"
	policyQuotaFunds   = "prepayment.funds"
)
