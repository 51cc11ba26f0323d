package sample

import (
	"errors"
	"os"
	"path/filepath"

	"fundledger/internal/fault"
)

// Sides are the sides of a settlement, in the order that Generate takes their
// writers; GenerateFiles adds ".tsv" to make the names of their files.
var Sides = [3]string{"treating", "center", "insured"}

// GenerateFiles generates a month into a folder, which is made if need be.
func GenerateFiles(options Options, folder string) (*Expected, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fault.New(fault.Invalid, "the folder cannot be made: %w", err)
	}
	var files [3]*os.File
	for i, side := range Sides {
		f, err := os.Create(filepath.Join(folder, side+".tsv"))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the file cannot be made: %w", err)
		}
		defer f.Close() // again, when an error ends this early
		files[i] = f
	}
	expected, err := Generate(options, files[0], files[1], files[2])
	if err != nil {
		return nil, err
	}
	return expected, errors.Join(files[0].Close(), files[1].Close(), files[2].Close())
}
