package ledger

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// manyEntries are two-line entries, every fourth with cash and floors, over
// ten thousand accounts.
func manyEntries(t testing.TB, n int) []Entry {
	entries := make([]Entry, n)
	for i := range entries {
		key := fmt.Sprintf("settlement/%08d", i)
		if i%4 == 0 {
			entries[i] = twoLines(t, key, testCash, testIncome, accounts.Fen(100+i%900))
		} else {
			entries[i] = twoLines(t, key, testClaim, fmt.Sprintf("320500.agency/310/9002/H%04d", i*7919%10000), accounts.Fen(1+i%100000))
			entries[i].Postings[1].Dimensions = Dimensions{Category: "21", BenefitYear: 2025}
		}
		entries[i].Date = civil.Date{Year: 2025, Month: 1, Day: 1 + i*31/n}
	}
	return entries
}

func BenchmarkVerifyBundle(b *testing.B) {
	const n = 200_000
	signer, key := testKey(b, "province")
	entries := manyEntries(b, n)
	for _, batch := range []int{1, 1000} {
		b.Run(fmt.Sprintf("batches of %d", batch), func(b *testing.B) {
			bundle := newParts(b, entries, batch, signer, 1000, n/2, n).write(b, aimFrame)
			b.ReportAllocs()
			runtime.GC()
			start := time.Now()
			for b.Loop() {
				report, err := VerifyBundle(b.Context(), bytes.NewReader(bundle), key)
				if err != nil || !report.OK() {
					b.Fatal(err, report)
				}
			}
			b.ReportMetric(float64(len(bundle))/n, "bytes/entry")
			b.ReportMetric(float64(n*b.N)/time.Since(start).Seconds(), "entries/s")
		})
	}
}
