// Package year runs a whole fiscal year of a province on generated
// settlements, through the domain packages alone: opening balances, quotas,
// twelve months of reconciliation, clearing and remittance with late payers,
// emergency top-ups, refunds, corrections, deductions and clawbacks of every
// kind, provider payments, interest, and the quotas of the next year, which set
// off what was carried over. The test of the year and `fundledger demo --year`
// are the same run.
//
// Time passes month by month (steps): whatever is dated in a month is done
// before anything of the next one, so what a report says at the end of a month
// is what the journal has at that date.
package year
