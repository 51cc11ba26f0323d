// Package jobs does long work that a call has begun: beside the call, with
// progress, on whichever server has a hand free. A job stands in the database;
// the server that works on it holds it by a lease and renews that. When the
// server is killed, another takes the job over and begins its work again, so all
// work must be idempotent: what it had done by then, it finds done.
//
// Times are those of the database, so that servers need not agree on the time.
package jobs
