// Package export writes tables as XLSX for people and as JSON for programs.
// The figures come from the domain packages; nothing is computed here.
package export
