// Package devdb finds or starts a throw-away database for the demo, the
// benchmark and the tests: CockroachDB or PostgreSQL, whichever this machine
// has or can get. The server ends with the process that started it.
package devdb
