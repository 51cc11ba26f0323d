// Package proto holds the contracts of the RPC service, proto/fundledger, and
// the Go code made of them, proto/gen; make generate renews it. This package
// itself has only the tests of what all contracts keep to:
//
//   - Amounts are texts in yuan with two decimals, dates "YYYY-MM-DD", months
//     "YYYY-MM", times timestamps. Unspecified and empty filters select all.
//   - Every list takes page_size and page_token and is stable while others post.
//   - What is read from the journal takes at_least_position and tells the position
//     that it has seen; balances and lines of the journal take as_of.
//   - Every call that changes something names the field that serves as its key
//     (access.v1.Access.key_field), and its answer says whether it was replayed.
//   - Every field of a request has its rules (protovalidate), which say what needs no
//     database to be known.
//   - Every method names its action and how its regions are found (access.v1); which
//     roles may do an action stands in access.tsv of the profile.
//   - Long work is a job (jobs.v1), whose result is a message of the service.
package proto
