package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"fundledger/internal/devdb"
)

func TestSealOnceCatchesUpAndStatusTellsTheLag(t *testing.T) {
	url := opened(t)
	if status := must(t, url, "seal", "--status"); !strings.Contains(status, "nobody leads") || !strings.Contains(status, "0 batches with 0 entries wait\n") {
		t.Errorf("%s", status)
	}
	must(t, url, "post", store(t, "entries.json", entryJSON("in", bank, incomes, "1.00")+entryJSON("out", costs, bank, "1.00")))
	if status := must(t, url, "seal", "--status"); !strings.Contains(status, "1 batches with 2 entries wait, the oldest for ") || !strings.Contains(status, "sealed to position 0, projected to 0") {
		t.Errorf("%s", status)
	}
	if lag := decoded[sealReport](t, url, "seal", "--status"); lag.WaitingEntries != 2 || lag.WaitingSeconds <= 0 {
		t.Errorf("%+v", lag)
	}
	if done := must(t, url, "seal", "--once"); !strings.Contains(done, "sealed to position 2, projected to 2") {
		t.Errorf("%s", done)
	}
	if lag := decoded[sealReport](t, url, "seal", "--status"); lag.WaitingEntries != 0 || lag.WaitingSeconds != 0 || lag.Projected != 2 {
		t.Errorf("%+v", lag)
	}
	refusedWith(t, url, "--once or --status, not both", "seal", "--once", "--status")
	empty := devdb.Test(t).Pool.Config().ConnString()
	refusedWith(t, empty, "fundledger setup", "seal", "--status")
}

// buffer can be read while it is written.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func TestSealRunsUntilItIsInterruptedAndThenDrains(t *testing.T) {
	url := opened(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, errOut buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--database-url", url, "seal", "--name", "node-1"}, &out, &errOut, func(string) string { return "" })
	}()
	until := func(says string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			status := must(t, url, "seal", "--status")
			if strings.Contains(status, says) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is missing: %s", says, status)
			}
		}
	}
	until("node-1 leads since ")
	must(t, url, "post", store(t, "a.json", entryJSON("in", bank, incomes, "1.00")))
	until("projected to 1")
	must(t, url, "post", store(t, "b.json", entryJSON("out", costs, bank, "1.00")))
	interrupt()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, errOut.String())
	}
	status := must(t, url, "seal", "--status")
	if !strings.Contains(status, "nobody leads") || !strings.Contains(status, "projected to 2") {
		t.Errorf("%s", status)
	}
	if log := errOut.String(); !strings.Contains(log, "msg=leads sealer=node-1 term=1") || !strings.Contains(log, `msg="leads no more"`) || out.String() != "" {
		t.Errorf("%s%s", log, out.String())
	}
}
