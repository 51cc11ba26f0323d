package ledger

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

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

// manyRelated are many entries of which every tenth takes back the one before
// it, and every tenth was pending.
func manyRelated(t testing.TB, n int) []Entry {
	entries := manyEntries(t, n)
	for i := 9; i < n; i += 10 {
		r := entries[i-1]
		r.Key, r.Kind, r.Corrects = fmt.Sprint("reversal/", i), reversalKind, uuid.NullUUID{UUID: r.ID(), Valid: true}
		r.Postings = slices.Clone(r.Postings)
		for k := range r.Postings {
			r.Postings[k].Amount = -r.Postings[k].Amount
		}
		entries[i] = r
		entries[i-3].Key = fmt.Sprintf("%s%08d", finishPrefix, i)
		entries[i-3].Reviewer = "decider"
	}
	return entries
}

func (p *parts) pendAll(t testing.TB) {
	for _, r := range p.records {
		if e := r.Entry; strings.HasPrefix(e.Key, finishPrefix) {
			e.Key = strings.TrimPrefix(e.Key, finishPrefix)
			p.pend(t, e, Finished)
		}
	}
}

// processorTime is what the process has used: on a shared machine it tells
// more than the time that has passed.
func processorTime(t testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkVerifyBundle(b *testing.B) {
	const n = 200_000
	signer, key := testKey(b, "province")
	entries, related := manyEntries(b, n), manyRelated(b, n)
	run := func(name string, p *parts) {
		b.Run(name, func(b *testing.B) {
			bundle := p.write(b, aimFrame)
			b.ReportAllocs()
			runtime.GC()
			start, used := time.Now(), processorTime(b)
			for b.Loop() {
				report, err := VerifyBundle(b.Context(), bytes.NewReader(bundle), key)
				if err != nil || !report.OK() {
					b.Fatal(err, report)
				}
			}
			b.ReportMetric(float64(len(bundle))/n, "bytes/entry")
			b.ReportMetric(float64((processorTime(b)-used).Nanoseconds())/float64(n*b.N), "cpu-ns/entry")
			b.ReportMetric(float64(n*b.N)/time.Since(start).Seconds(), "entries/s")
		})
	}
	for _, batch := range []int{1, 1000} {
		run(fmt.Sprintf("batches of %d", batch), newParts(b, entries, batch, signer, 1000, n/2, n))
	}
	p := newParts(b, related, 1000, signer, 1000, n/2, n)
	p.pendAll(b)
	run("a tenth reversed, a tenth pending", p)
	var often []Position
	for i := Position(100); i <= n; i += 100 {
		often = append(often, i)
	}
	run("a checkpoint every 100 entries", newParts(b, entries, 100, signer, often...))
}
