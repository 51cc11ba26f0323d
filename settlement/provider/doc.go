// Package provider owns what a treating region's agency has to do with its
// providers (定点医药机构): the monthly reconciliation with each (对账, J33 J41),
// payment lists of what is payable, their payment, and the statement of each
// provider. It also keeps what an insured region pays by itself (零星报销, J26
// J28) and the fee checks (费用协查, J56).
//
// What is payable is read from the journal: the lines of the provider's payable
// account, each traced to its settlement. An item is what one settlement has in
// one fund and part; refunds, deductions and corrections count to the
// settlement that they correct.
package provider
