// Package config is how fundledger serve is set up: by a file (YAML), the
// environment (FUNDLEDGER_…) and flags, of which a later one wins. It knows the
// source of each value and checks all of them before anything starts.
package config
