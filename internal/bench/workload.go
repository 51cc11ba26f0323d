package bench

import "time"

// Report is what was measured.
type Report struct {
	Database   string     `json:"database"`
	Processors int        `json:"processors"`
	PeakRSS    int64      `json:"import_peak_rss_bytes,omitempty"`
	Workloads  []Workload `json:"workloads"`
}

// Workload is one measured path. Rates are in units a second.
type Workload struct {
	Name    string   `json:"name"`
	Unit    string   `json:"unit"`
	Count   int64    `json:"count"` // units done
	Rate    float64  `json:"rate"`
	Limit   *float64 `json:"limit,omitempty"` // the rate of what it is measured against
	LimitIs string   `json:"limit_is,omitempty"`
	// Ratio is rate / limit; of several rounds the median of their ratios.
	Ratio  *float64  `json:"ratio,omitempty"`
	Ratios []float64 `json:"ratios,omitempty"` // of each round, ascending
	// Held is the ratio beside the one that the empty journal gave.
	Held *float64 `json:"held,omitempty"`
	// Target is what the figure named by TargetOf must reach at least.
	Target   float64  `json:"target,omitempty"`
	TargetOf Figure   `json:"target_of,omitempty"`
	Met      *bool    `json:"met,omitempty"`
	P50      *float64 `json:"p50_ms,omitempty"` // of one call or transaction, in milliseconds
	P99      *float64 `json:"p99_ms,omitempty"`
	// PairsPerEntry is how many key-value pairs the posting transaction writes
	// for each entry: rows and their index entries.
	PairsPerEntry *float64 `json:"pairs_per_entry,omitempty"`
	Connections   int      `json:"connections,omitempty"`     // of the limit, as many as the workload has used at once
	Journal       int64    `json:"journal_entries,omitempty"` // in the journal when the workload had ended
	Backlog       *int64   `json:"backlog_entries,omitempty"` // waiting to be sealed when posting ended, at most
	PeakRSS       int64    `json:"peak_rss_bytes,omitempty"`  // of this process
}

// Figure is one that has a target.
type Figure string

// The figures that have targets.
const (
	OfRatio Figure = "ratio"
	OfRate  Figure = "rate"
	OfHeld  Figure = "held"
)

func newWorkload(name, unit string, count int64, elapsed time.Duration, times *latencies) Workload {
	w := Workload{Name: name, Unit: unit, Count: count, Rate: float64(count) / elapsed.Seconds()}
	if times != nil {
		w.P50, w.P99 = times.quantile(50), times.quantile(99)
	}
	return w
}

// against sets the limit.
func (w *Workload) against(limit Workload) {
	ratio := w.Rate / limit.Rate
	w.Limit, w.LimitIs, w.Ratio = &limit.Rate, limit.Name, &ratio
}

// recount corrects how many units were done.
func (w *Workload) recount(count int64) {
	w.Rate *= float64(count) / float64(w.Count)
	w.Count = count
}

// judge sets the target and tells whether it is met. A backlog of more than a
// second's entries meets none.
func (w *Workload) judge(of Figure, target float64) {
	var got *float64
	switch of {
	case OfRate:
		got = &w.Rate
	case OfRatio:
		got = w.Ratio
	case OfHeld:
		got = w.Held
	}
	if got == nil || target == 0 {
		return
	}
	met := *got >= target && (w.Backlog == nil || float64(*w.Backlog) <= w.Rate)
	w.TargetOf, w.Target, w.Met = of, target, &met
}
