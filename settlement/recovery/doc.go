// Package recovery owns what comes back of posted settlements by decision of the
// treating place (J46, J53, N六): deductions (审核扣款) before the provider is paid
// and clawbacks (追回) after it. A deduction is a negative record at once. A
// clawback is a case with steps: opened, approved by another person, received
// from the provider, and returned to the insured region, offset in the next
// clearing run or remitted by the original channel.
//
// Whoever takes a step holds the case's row, and the step stands or falls with
// its entries. All figures of a case are sums of its steps.
package recovery
