// Package accounts owns who and what the ledger speaks of: regions,
// institutions and their books, funds, the chart of accounts, account
// identity, money and months, the posting table, the policy and the
// working-day calendar. All of it that accountants may change is
// effective-dated data with a source; the code here only reads and applies it.
package accounts
