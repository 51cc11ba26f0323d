// Package client calls the service from another program, such as the job that
// clears a month. It gives the six generated clients with connections that fail
// over from one server to the next, and calls that are repeated where that is
// safe; and helpers for what takes more than one call: all pages of a list, an
// upload that goes on where it broke, a job until its end, the journal as it
// grows, the audit bundle as a file.
//
// # Repeating
//
// A call is repeated after a lost connection, a server that stays silent, and
// the codes unavailable, aborted and, after the time that the server names,
// resource_exhausted; with growing pauses, until the deadline of the context
// leaves no time or Options.Patience has passed. The error is then the last one.
//
// Reads can be repeated freely. A call that changes something can, because it
// carries an idempotency key: if the first one was carried out and its answer
// was lost, the second one is answered as replayed. The keys are the caller's
// and this package never makes one up: only the caller can give the same key
// again after a crash of its own. Take them from what the call is about, such as
// the number of a bank transfer, or store a new one before the first call. What
// comes without a key is refused by the server, as invalid_argument.
//
// The calls that stream are not repeated by themselves: use UploadSettlements,
// WatchEntries, WatchJob, ExportBundle and DownloadDocument of Client.
//
// # Errors
//
// Errors are those of Connect (connect.CodeOf); InfoOf gives the facts that the
// server tells, such as the account and the shortfall.
package client
