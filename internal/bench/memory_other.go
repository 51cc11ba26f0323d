//go:build !linux

package bench

func resetPeakRSS() {}

// peakRSS is only known on Linux.
func peakRSS() int64 { return 0 }
