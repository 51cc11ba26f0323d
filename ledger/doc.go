// Package ledger owns the journal: entries and their postings, vouchers,
// periods, floors, balances and the checks that the journal is whole. It knows
// no settlement and no clearing.
//
// Posting (Journal.Post, Journal.PostTx) writes one row per entry with its
// lines inside, and the balance of each touched account that has a floor.
// Everything else follows behind it in journal order: Journal.CatchUp gives
// committed batches their dense sequence and voucher numbers and projects
// account lines and balances, and Journal.RunSealer does so in the background
// of a server, in one process at a time.
package ledger
