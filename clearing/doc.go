// Package clearing owns what happens to accepted settlements until they are
// paid: clearing runs (net in the province, gross between provinces), their
// notices and tables, remittances, the use and refill of prepayment pools, the
// yearly prepayment quotas, and the checks that tie all of it to the journal.
//
// A run goes from collecting to frozen. Freezing moves the obligations of its
// records from 待清分 (.01) to 已清分 (.02) and issues the notices; every
// remittance then discharges a part of them. Whoever collects for a run or
// pays on it holds the run's row, so that one run is worked on in one place at
// a time.
package clearing
