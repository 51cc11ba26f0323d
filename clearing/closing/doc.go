// Package closing closes the books: a month against a checklist, and a year by
// carrying its income and expense into 基金结余.
//
// A month is closed when nothing of it is open (exceptions, uploads, runs,
// reservations, findings of the checks, the bank reconciliation), or by a second
// person who says why it is closed all the same; what was open then stands in the
// event of the period. Closing a year closes its last month with it, so that nothing
// comes between. Every step may be asked again.
package closing
