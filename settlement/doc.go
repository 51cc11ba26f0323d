// Package settlement owns settlement records: their files, what each of the
// three sides (treating, centre, insured) says of them, the three-way
// reconciliation (三方对账, J41–43) and refunds. What agrees on all three sides
// becomes one entry in the ledger; the rest is kept as exceptions by kind.
//
// A file is known by its content. Every row of it ends as its side's record or
// is set aside with a reason; nothing is lost in silence. Of two files of a
// side, the one that was begun later has the last word about a settlement,
// until the settlement is posted.
package settlement
