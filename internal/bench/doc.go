// Package bench measures the program's own paths beside their limits: the
// bare batched insert of the very same rows into the same database in the same
// run. A ratio of the two says more than a rate, which depends on the machine.
package bench
