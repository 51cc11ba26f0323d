// Package calls records who did what: every call that changes something, before
// it is carried out, and then what came of it. The tables can only be added to,
// so a call has two rows. One that has a beginning and no end is being carried
// out, or its server died over it; its key tells whether it was done. A call that
// posts entries has one row, which the ledger writes with them.
package calls
