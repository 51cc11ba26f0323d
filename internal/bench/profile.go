package bench

import (
	"os"
	"path/filepath"
	"runtime/pprof"

	"fundledger/internal/fault"
)

// profiled runs fn and, where a folder is given, writes a CPU profile of it.
func profiled(folder, name string, fn func() error) error {
	if folder == "" {
		return fn()
	}
	file, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return fault.New(fault.Invalid, "the profile cannot be written: %w", err)
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return fn()
}
