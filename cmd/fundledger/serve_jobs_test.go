package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fundledger/internal/devdb"
)

// A job is begun over RPC and done by the server that was asked.
func TestServeDoesJobs(t *testing.T) {
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "migrate")
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	for _, side := range []string{"treating", "center", "insured"} {
		must(t, url, "import", "settlements", "--side", side, sampleFiles+"2025-01/"+side+".tsv")
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, log buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--database-url", url, "serve", "--dev", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "sealer.name=server-1"},
			&out, &log, func(string) string { return "" })
	}()
	address := ""
	for deadline := time.Now().Add(time.Minute); address == ""; time.Sleep(10 * time.Millisecond) {
		log.mu.Lock()
		for _, m := range served.FindAllStringSubmatch(log.String(), -1) {
			if m[1] == "serves" {
				address = "http://" + m[2]
			}
		}
		log.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("the server does not start")
		}
	}
	post := func(method, request string) string {
		t.Helper()
		response, err := http.Post(address+method, "application/json", strings.NewReader(request))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %s %v", response.StatusCode, body, err)
		}
		return string(body)
	}
	post("/fundledger.settlement.v1.SettlementService/Reconcile", `{"idempotencyKey":"r","month":"2025-01"}`)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if strings.Contains(post("/fundledger.jobs.v1.JobsService/ListJobs", `{"state":"JOB_STATE_SUCCEEDED","action":"settlement.reconcile"}`), `"matched"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(post("/fundledger.jobs.v1.JobsService/ListJobs", `{}`))
		}
	}
	http.DefaultClient.CloseIdleConnections()
	interrupt()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, log.String())
	}
	if check := must(t, url, "check"); !strings.Contains(check, "all checks hold") {
		t.Errorf("%s", check)
	}
}
